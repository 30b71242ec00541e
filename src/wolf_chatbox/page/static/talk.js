// What a browser alone can do on the talk page: keys, the place in the thread, a draft that outlives the page.
window.talk = (() => {
  const field = () => document.querySelector(".composer textarea");
  const thread = () => document.querySelector(".thread");
  const draft = () => "wolf_chatbox.draft." + location.pathname.split("/").pop();
  const tell = (key, text = "") => emitEvent("talk", { key, text });

  function meant(event) {
    const at = event.target, plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const writes = at.matches("input, textarea"), full = writes && at.value !== "";
    if (at.closest(".turn-edit")) {
      if (event.key === "Enter" && !event.shiftKey) return ["save", at.value];
      return event.key === "Escape" ? ["cancel"] : null;
    }
    if (event.key === "F1") return ["keys"];
    if (at === field() && event.key === "Enter" && !event.shiftKey && plain) return ["send"]; // while a menu closes, too
    if (document.querySelector(".q-dialog, .q-menu")) return null;
    if (at === field()) {
      if (event.key === "Tab" && document.querySelector(".composer-names button")) return ["complete"];
      if (event.key === "ArrowUp" && plain && !full) return ["rewrite"];
    }
    if (event.key === "Escape") return ["stop"];
    if (event.key === "?" && !writes) return ["keys"];
    if (event.altKey && event.code === "KeyR") return ["again"];
    if (event.altKey && !full && event.key === "ArrowLeft") return ["before"];
    if (event.altKey && !full && event.key === "ArrowRight") return ["after"];
    return null;
  }

  // The field is emptied here, at once; the server puts a text back that could not be said.
  function send() {
    const text = field().value;
    if (document.querySelector(".composer-send.stops")) tell("busy");
    else if (text.trim()) {
      field().value = "";
      field().dispatchEvent(new Event("input", { bubbles: true }));
      localStorage.setItem(draft(), text);
      setTimeout(() => tell("send", text)); // after the server was told that the field is empty
    }
  }

  document.addEventListener("keydown", (event) => {
    // The Enter that ends the input of Japanese characters sends nothing.
    if (event.isComposing || event.keyCode === 229 || !event.target.matches) return;
    const found = meant(event);
    if (found) {
      event.preventDefault();
      if (found[0] === "send") send();
      else tell(...found);
    }
  }, true);
  document.addEventListener("input", (event) => {
    if (event.target !== field()) return;
    if (event.target.value) localStorage.setItem(draft(), event.target.value);
    else localStorage.removeItem(draft());
  });
  document.addEventListener("scroll", (event) => {
    if (event.target === thread()) document.body.classList.toggle("thread-away", event.target.scrollTop < -160);
  }, true);

  return {
    press: () => (document.querySelector(".composer-send.stops") ? tell("stop") : send()),
    down: () => thread()?.scrollTo({ top: 0 }),
    find: (number) => {
      const turn = document.querySelector(`[data-number="${number}"]`);
      turn?.scrollIntoView({ block: "center" });
      turn?.animate([{ background: "var(--moon-soft)" }, { background: "transparent" }], { duration: 2200 });
    },
    restore: () => {
      const text = localStorage.getItem(draft());
      if (text && field()?.value === "") tell("draft", text);
    },
    forget: (said) => {
      if (localStorage.getItem(draft()) === said) localStorage.removeItem(draft());
    },
    focus: () => {
      const free = document.activeElement === document.body;
      if (free && matchMedia("(hover: hover)").matches) field()?.focus(); // on a phone it would open the keyboard
    },
    settle: () => history.replaceState(null, "", location.pathname),
  };
})();
