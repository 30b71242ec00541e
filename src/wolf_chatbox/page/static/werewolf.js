// What a browser alone can do at the table of werewolf: keys, and the text that is sent.
window.werewolf = (() => {
  const field = () => document.querySelector(".ww-field textarea");
  const tell = (key, text = "") => emitEvent("werewolf", { key, text });

  // The field is emptied here, at once; the server puts a text back that nobody listened to.
  function send() {
    const text = field()?.value ?? "";
    if (!text.trim() || !document.querySelector(".ww-acts.asked")) return; // what is typed waits for one's turn
    field().value = "";
    field().dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => tell("send", text)); // after the server was told that the field is empty
  }

  document.addEventListener("keydown", (event) => {
    // The Enter that ends the input of Japanese characters sends nothing.
    if (event.isComposing || event.keyCode === 229 || !event.target.matches) return;
    if (!document.querySelector(".ww") || document.querySelector(".q-dialog, .q-menu")) return;
    const at = event.target, plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const writes = at.matches("input, textarea, select") && at.offsetParent !== null;
    const act = (key, text) => { event.preventDefault(); tell(key, text); };
    if (event.altKey && event.code === "KeyR") act("hide");
    else if (event.altKey && event.code === "KeyO") act("over");
    else if (at === field() && event.key === "Enter" && plain) { event.preventDefault(); send(); }
    else if (writes || !plain) return;
    else if (/^[0-9]$/.test(event.key)) act("digit", event.key);
    else if (event.key === "Enter" && (at.closest(".ww-seat.chosen") || !at.closest("button, a"))) {
      at.blur();
      act("confirm");
    }
  }, true);

  return {
    send,
    // On a phone the focus would open the keyboard.
    focus: (speaks) => {
      const wide = matchMedia("(hover: hover)").matches;
      setTimeout(() => { if (speaks && wide) field()?.focus(); else if (!speaks) document.activeElement?.blur(); }, 60);
    },
  };
})();
