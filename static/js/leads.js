// The list of leads by keyboard: J and K or the arrows go from lead to lead, Enter opens it (it is a link), L says what
// became of it. The keys are off while somebody types, in a dialog, and where single keys are turned off.
const FIELDS = "input, textarea, select, [contenteditable]";
const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

function titles() {
  return [...document.querySelectorAll("[data-lead] a.title")];
}

function go(step, lead) {
  const all = titles();
  const at = all.findIndex((title) => lead?.contains(title));
  const next = at < 0 ? all.at(step > 0 ? 0 : -1) : all[at + step];
  next?.focus();
  return Boolean(next);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") || event.target.closest?.(FIELDS)) return;
  const lead = event.target.closest?.("[data-lead]");
  const arrow = event.key.startsWith("Arrow");
  if (arrow ? !lead : document.body.dataset.hotkeys === "off") return;
  if (event.key in STEPS) {
    if (go(STEPS[event.key], lead)) event.preventDefault();
  } else if (event.key === "l" && lead) {
    lead.querySelector("[data-mark]")?.click();
    event.preventDefault();
  }
});
