// Toasts: short notes of what was done, with Undo. They come with the page or a swapped fragment (Django messages), or
// from scripts by toast(). They sit in the top layer (popover), so they are seen above an open dialog.
// U takes back one's own last change. In an incident the server knows which that is (form[data-undo-last]); elsewhere it
// is the newest note: one without Undo is never stepped over.
const LIFE_MS = 8000;
const UNDOABLE = 10;
const SHOWN = 2;
const box = document.getElementById("toasts");
const past = document.createElement("div"); // forms of toasts that went by: U still finds the last ten
past.hidden = true;
document.body.append(past);
const done = []; // what notes told of, oldest first: the form that takes it back, or null
const last = document.querySelector("form[data-undo-last]");
let undoing = false;

export function toast(text, { bad = false, link = null, sticky = false } = {}) {
  const note = document.createElement("div");
  note.className = bad ? "note is-bad" : "note";
  note.dataset.script = ""; // it tells of no change
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

// The same words again are one toast; what the older one could take back, U still finds.
function merge(note) {
  const words = note.querySelector("span")?.textContent;
  for (const other of box.querySelectorAll(".note[data-timed]")) {
    if (other.querySelector("span")?.textContent !== words) continue;
    const undo = other.querySelector("form");
    if (undo) past.append(undo);
    other.remove();
  }
}

function show() {
  const notes = [...box.querySelectorAll(".note:not([data-timed])")];
  if (!notes.length) return;
  for (const note of notes) {
    merge(note);
    note.dataset.timed = "";
    if (!undoing && !("script" in note.dataset) && !note.matches(".is-bad")) done.push(note.querySelector("form"));
    if (done.length > UNDOABLE) done.shift();
    if (!("sticky" in note.dataset)) setTimeout(leave, LIFE_MS, note);
  }
  [...box.querySelectorAll(".note:not([data-sticky])")].slice(0, -SHOWN).forEach(leave);
  if (box.matches(":popover-open")) box.hidePopover(); // shown again, it is on top of a dialog opened since
  box.showPopover();
}

// The incident as this tab first showed it: what was done before is not taken back by a key.
function since() {
  const key = `undo:${last.getAttribute("action")}`;
  try {
    const kept = sessionStorage.getItem(key) ?? last.elements.since.value;
    sessionStorage.setItem(key, kept);
    return kept;
  } catch {
    return last.elements.since.value; // private mode: since this page
  }
}

export function undoLast() {
  const form = last ?? done.at(-1);
  if (form === undefined) return false;
  if (form === null) toast("What was done last cannot be undone.", { bad: true });
  else if (!undoing) form.requestSubmit();
  return true;
}

if (box) {
  box.popover = "manual"; // without script they stay where they are, readable
  new MutationObserver(show).observe(box, { childList: true });
  show();
}
if (last) last.elements.since.value = since();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form !== last && !box?.contains(form) && !past.contains(form)) return;
  event.preventDefault();
  undoing = true;
  htmx.ajax("POST", form.action, { source: form, event, target: "#toasts", swap: "none" }).finally(() => {
    undoing = false;
    if (form === last) return;
    if (done.includes(form)) done.splice(done.indexOf(form), 1);
    (form.closest(".note") ?? form).remove();
  });
});
