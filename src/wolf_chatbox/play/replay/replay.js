"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const { players, frames, words, roles } = data;
const el = (id) => document.getElementById(id);
const made = (tag, text = "", kind = "") => {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = kind;
  return node;
};
const tint = (node, at) => node.style.setProperty("--hue", Math.round((360 * at) / players.length));
const seatOf = new Map(players.map((player, at) => [player.name, at]));
const fill = (text, slots) => text.replace(/\{(\w+)\}/g, (_, key) => slots[key] ?? "");
const roleWord = (role) => roles[role] ?? (role || "").toLowerCase();
const speech = new Set(["talk", "whisper", "thought", "grave"]);
let at = 0;
let timer = null;

function told(frame) {
  let what = frame.kind;
  if (what === "attack") what = frame.result === "killed" ? "killed" : frame.target ? "saved" : "quiet";
  const slots = { who: frame.who, target: frame.target, result: roleWord(frame.result), text: frame.text };
  return fill(words.events[what] ?? "{who} {target} {text}", slots);
}

el("seats").classList.toggle("many", players.length > 9);
const seats = players.map((player, number) => {
  const turn = (2 * Math.PI * number) / players.length - Math.PI / 2;
  const node = made("li");
  node.style.left = `${50 + 40 * Math.cos(turn)}%`;
  node.style.top = `${46 + 38 * Math.sin(turn)}%`;
  const face = made("span", [...player.name][0], "face");
  tint(face, number);
  const role = made("span", "", player.wolf ? "role wolf" : "role");
  const bar = made("div", "", "bar");
  bar.append(made("i"));
  node.append(face, made("span", player.name, "name"), role, bar);
  node.title = player.team ? `${player.name} (${player.team})` : player.name;
  el("seats").append(node);
  return { node, role, bar };
});

const items = [];
let day = null;
let dark = null;
frames.forEach((frame, number) => {
  if (frame.day !== day || Boolean(frame.dark) !== dark) {
    [day, dark] = [frame.day, Boolean(frame.dark)];
    const heading = made("li", fill(dark ? words.night : words.day, { day }), "heading");
    el("course").append(heading);
    items.push({ node: heading, number });
  }
  const node = made("li", "", speech.has(frame.kind) ? frame.kind : "happened");
  if (speech.has(frame.kind)) {
    const who = made("span", frame.who, "who");
    if (seatOf.has(frame.who)) tint(who, seatOf.get(frame.who));
    node.append(who, frame.kind === "talk" ? " " : ` (${words.channels[frame.kind]}) `, frame.text);
    for (const claim of frame.claims ?? []) node.append(made("span", fill(words.claims, { role: roleWord(claim) }), "tag"));
  } else node.textContent = told(frame);
  node.addEventListener("click", () => show(number));
  el("course").append(node);
  items.push({ node, number, frame });
});

function plot() {
  const drawn = frames.filter((frame) => frame.wolf);
  if (!drawn.length) {
    el("plot").append(made("p", words.no_suspicion, "dim"));
    return null;
  }
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const last = Math.max(1, frames.length - 1);
  svg.setAttribute("viewBox", `0 0 ${last} 100`);
  svg.setAttribute("preserveAspectRatio", "none");
  const add = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    svg.append(node);
    return node;
  };
  frames.forEach((frame, number) => {
    if (number && frame.day !== frames[number - 1].day) add("line", { x1: number, x2: number, y1: 0, y2: 100, class: "day" });
  });
  players.forEach((player, seat) => {
    const points = frames.map((frame, number) => (frame.wolf ? `${number},${100 - frame.wolf[seat]}` : "")).join(" ");
    const line = add("polyline", { points });
    tint(line, seat);
    line.append(titled(player.name));
  });
  const now = add("line", { x1: 0, x2: 0, y1: 0, y2: 100 });
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    show(Math.round(((event.clientX - box.left) / box.width) * last));
  });
  const legend = made("ul", "", "legend");
  players.forEach((player, seat) => {
    const entry = made("li");
    const dot = made("span", "", "dot");
    tint(dot, seat);
    entry.append(dot, player.name);
    legend.append(entry);
  });
  el("plot").append(svg, legend);
  return now;
}
function titled(text) {
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = text;
  return title;
}
const now = plot();

function show(number) {
  at = Math.min(Math.max(number, 0), frames.length - 1);
  const frame = frames[at] ?? { day: 0, dead: [] };
  const open = el("reveal").checked;
  const over = at === frames.length - 1;
  const hidden = !open && !["talk", "vote", "execute", "death", "announce", "end"].includes(frame.kind) &&
    !(frame.kind === "attack");
  document.body.classList.toggle("dark", Boolean(frame.dark));
  el("when").textContent = fill(frame.dark ? words.night : words.day, { day: frame.day });
  el("won").hidden = !over;
  el("said").textContent = hidden ? "" : speech.has(frame.kind) ? frame.text : told(frame);
  seats.forEach(({ node, role, bar }, seat) => {
    const { name, role: word } = players[seat];
    node.classList.toggle("speaks", !hidden && frame.who === name);
    node.classList.toggle("named", !hidden && frame.target === name);
    node.classList.toggle("dead", (frame.dead ?? []).includes(name));
    role.textContent = open || over ? word : "";
    bar.firstChild.style.width = `${frame.wolf?.[seat] ?? 0}%`;
  });
  for (const item of items) {
    const secret = item.frame && !open && !over &&
      !["talk", "vote", "execute", "attack", "death", "announce", "end"].includes(item.frame.kind);
    item.node.classList.toggle("later", item.number > at || Boolean(secret));
    item.node.classList.toggle("now", Boolean(item.frame) && item.number === at);
  }
  const current = items.findLast((item) => item.number === at && item.frame);
  const box = el("course");
  if (current) box.scrollTop = current.node.offsetTop - box.offsetTop - box.clientHeight / 2;
  el("at").value = at;
  el("count").textContent = `${Math.min(at + 1, frames.length)} / ${frames.length}`;
  if (now) for (const end of ["x1", "x2"]) now.setAttribute(end, at);
  if (over) stop();
}
function stop() {
  clearTimeout(timer);
  timer = null;
  el("play").textContent = "▶";
  el("play").setAttribute("aria-label", words.play);
}
function go() {
  const frame = frames[at] ?? {};
  timer = setTimeout(() => {
    show(at + 1);
    if (timer) go();
  }, 900 + 25 * (frame.text ?? "").length);
}
function toggle() {
  if (timer) return stop();
  if (at >= frames.length - 1) show(0);
  el("play").textContent = "❚❚";
  el("play").setAttribute("aria-label", words.pause);
  go();
}
el("at").max = Math.max(0, frames.length - 1);
el("at").addEventListener("input", (event) => show(Number(event.target.value)));
el("back").addEventListener("click", () => show(at - 1));
el("next").addEventListener("click", () => show(at + 1));
el("play").addEventListener("click", toggle);
el("reveal").addEventListener("change", () => show(at));
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input[type=range]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { ArrowLeft: () => show(at - 1), ArrowRight: () => show(at + 1), Home: () => show(0),
    End: () => show(frames.length - 1), r: () => el("reveal").click() };
  if (event.key === " " && !event.target.matches("button, input")) { event.preventDefault(); toggle(); }
  else if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
show(0);
