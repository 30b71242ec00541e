"use strict";
// The blind vote: votes stay in this browser until they are downloaded, in the form that `--votes` reads.
(() => {
  const part = document.getElementById("ballot");
  if (!part) return;
  const pairs = JSON.parse(document.getElementById("pairs").textContent);
  const place = "wolf-chatbox votes " + part.dataset.ballot;
  const at = (name) => part.querySelector("[data-" + name + "]");
  const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/g;
  const shown = (text) =>
    text.trim() ? text.replace(hidden, (c) => "[U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "]") : "(nothing)";
  let kept = { name: "", votes: {}, skipped: [] };
  try { kept = Object.assign(kept, JSON.parse(localStorage.getItem(place))); } catch { /* no storage: kept until the page is closed */ }
  const order = kept.votes;
  let history = [];

  const next = () => pairs.findIndex((_, n) => !(n in order) && !kept.skipped.includes(n));
  const keep = () => { try { localStorage.setItem(place, JSON.stringify(kept)); } catch { at("kept").hidden = false; } };

  function line(number) {
    const pair = pairs[number], choice = order[number], swap = choice === "b";
    const form = { prompt: pair.prompt };
    if (choice === "=") Object.assign(form, { tied: [pair.a, pair.b], tied_by: pair.by });
    else Object.assign(form, {
      chosen: swap ? pair.b : pair.a, rejected: swap ? pair.a : pair.b,
      chosen_by: pair.by[swap ? 1 : 0], rejected_by: pair.by[swap ? 0 : 1],
    });
    if (kept.name) form.voter = kept.name;
    if (pair.conversation !== null) form.conversation = pair.conversation;
    return JSON.stringify(form) + "\n";
  }

  function show() {
    const number = next(), cast = Object.keys(order).length;
    at("progress").value = cast;
    at("count").textContent = cast + " of " + pairs.length + " pairs voted on" +
      (kept.skipped.length ? ", " + kept.skipped.length + " skipped" : "");
    at("download").disabled = !cast;
    at("undo").disabled = !history.length;
    at("pair").hidden = number < 0;
    at("done").hidden = number >= 0;
    if (number < 0) return;
    const pair = pairs[number], context = at("context");
    context.replaceChildren(...pair.prompt.slice(-6).map((message) => {
      const said = document.createElement("p"), name = document.createElement("b"), text = document.createElement("bdi");
      name.textContent = shown(message.name || message.role) + ": ";
      text.textContent = shown(message.content);
      said.className = "heard";
      said.append(name, text);
      return said;
    }));
    at("speaker").textContent = shown(pair.a[0].name || pair.a[0].role);
    at("a").textContent = shown(pair.a[0].content);
    at("b").textContent = shown(pair.b[0].content);
  }

  function choose(choice) {
    const number = next();
    if (number < 0) return;
    if (choice === "s") kept.skipped.push(number); else order[number] = choice;
    history.push(number);
    keep();
    show();
  }

  function undo() {
    const number = history.pop();
    if (number === undefined) return;
    delete order[number];
    kept.skipped = kept.skipped.filter((skipped) => skipped !== number);
    keep();
    show();
  }

  function download() {
    const lines = Object.keys(order).map(line).join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines], { type: "application/x-ndjson" }));
    link.download = "votes-" + (kept.name.replace(/[^\p{L}\p{N}]+/gu, "-") || "page") + ".jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const keys = { 1: "a", 2: "b", "=": "=", s: "s" };
  at("a").onclick = () => choose("a");
  at("b").onclick = () => choose("b");
  at("tie").onclick = () => choose("=");
  at("skip").onclick = () => choose("s");
  at("undo").onclick = undo;
  at("download").onclick = download;
  at("name").value = kept.name;
  at("name").oninput = (event) => { kept.name = event.target.value.trim(); keep(); };
  part.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in keys) { event.preventDefault(); choose(keys[event.key]); }
    if (event.key === "u") undo();
  });
  show();
})();
