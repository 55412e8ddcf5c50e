// Single-key shortcuts: data-hotkey="c", "Mod+k" or "g i" on a link, button or field; a key exists only where its
// element does. Off while typing, while a dialog is open, and where the person turned them off (WCAG 2.1.4).
import { undoLast } from "./toasts.js";

const SEQUENCE_MS = 1000;
const FIELDS = "input, textarea, select, [contenteditable]";
let first = "";

function seen(element) {
  return element.checkVisibility?.() ?? true;
}

function find(key) {
  const quoted = CSS.escape(key);
  return [...document.querySelectorAll(`[data-hotkey="${quoted}"]`)].find(seen);
}

function act(element) {
  if (element.matches(FIELDS)) element.focus();
  else element.click();
  return true;
}

function single(key, repeated) {
  if (key === "?") {
    document.getElementById("keys")?.showModal();
    return true;
  }
  if (key === "u") return repeated || undoLast(); // held down it is still one change
  if (/^[1-9]$/.test(key)) {
    const tab = document.querySelectorAll("a[data-tab]")[Number(key) - 1];
    return tab ? act(tab) : false;
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  const mod = event.ctrlKey || event.metaKey;
  if (event.defaultPrevented || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (!mod && (document.body.dataset.hotkeys === "off" || event.target.closest?.(FIELDS))) return;
  const key = (mod ? "Mod+" : "") + event.key;
  const hit = find(first + key) ?? find(key);
  const waits = !mod && !hit && !first && document.querySelector(`[data-hotkey^="${CSS.escape(`${event.key} `)}"]`);
  first = "";
  if (hit ? act(hit) : !mod && single(event.key, event.repeat)) event.preventDefault();
  else if (waits) {
    first = `${event.key} `;
    setTimeout(() => (first = ""), SEQUENCE_MS);
  }
});
