// Toasts: short notes of what was done, with Undo. They come with the page or a swapped fragment (Django messages), or
// from scripts by toast(). They sit in the top layer (popover), so they are seen above an open dialog.
const LIFE_MS = 8000;
const UNDOABLE = 10;
const SHOWN = 4;
const box = document.getElementById("toasts");
const past = document.createElement("div"); // forms of toasts that went by: U still finds the last ten
past.hidden = true;
document.body.append(past);

export function toast(text, { bad = false, link = null, sticky = false } = {}) {
  const note = document.createElement("div");
  note.className = bad ? "note is-bad" : "note";
  if (sticky) note.dataset.sticky = "";
  const words = document.createElement("span");
  words.textContent = text;
  note.append(words);
  if (link) {
    const a = document.createElement("a");
    a.href = link.href;
    a.textContent = link.text;
    note.append(a);
  }
  box?.append(note);
}

function leave(note) {
  if (!note.isConnected) return;
  if (note.matches(":hover, :focus-within")) {
    setTimeout(leave, 2000, note);
    return;
  }
  const undo = note.querySelector("form");
  if (undo) past.append(undo);
  while (past.children.length > UNDOABLE) past.firstElementChild.remove();
  note.remove();
  if (!box.childElementCount && box.matches(":popover-open")) box.hidePopover();
}

function show() {
  const notes = [...box.querySelectorAll(".note:not([data-timed])")];
  if (!notes.length) return;
  for (const note of notes) {
    note.dataset.timed = "";
    if (!("sticky" in note.dataset)) setTimeout(leave, LIFE_MS, note);
  }
  [...box.querySelectorAll(".note:not([data-sticky])")].slice(0, -SHOWN).forEach(leave);
  if (box.matches(":popover-open")) box.hidePopover(); // shown again, it is on top of a dialog opened since
  box.showPopover();
}

export function undoLast() {
  const notes = box ? [...box.querySelectorAll("form")] : [];
  const form = notes.at(-1) ?? past.lastElementChild;
  form?.requestSubmit();
  return Boolean(form);
}

if (box) {
  box.popover = "manual"; // without script they stay where they are, readable
  new MutationObserver(show).observe(box, { childList: true });
  show();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(box?.contains(form) || past.contains(form))) return;
  event.preventDefault();
  htmx.ajax("POST", form.action, { source: form, event, target: "#toasts", swap: "none" }).finally(() => {
    (form.closest(".note") ?? form).remove();
  });
});
