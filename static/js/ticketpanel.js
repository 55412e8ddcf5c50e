// A ticket beside what it was opened from (#ticket-panel on a wide page, else the dialog), and the keys that open its
// forms: the same letters wherever a ticket is shown.
import { openDialog } from "./dialogs.js";

const WIDE = matchMedia("(min-width: 1200px)");
const FORMS = { e: "edit/", a: "assign/", s: "status/", l: "lead/", m: "move/" };
let opener = null;

export function showTicket(url, from) {
  const panel = document.getElementById("ticket-panel");
  opener = from;
  if (!panel || !WIDE.matches) return openDialog(url, from);
  panel.hidden = false;
  return htmx.ajax("GET", url, { source: document.body, target: "#ticket-panel", swap: "innerHTML" });
}

// Whether the key opened a form of the ticket at this address.
export function openForm(event, url, from) {
  const part = FORMS[event.key];
  if (!part || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (document.body.dataset.hotkeys === "off") return false;
  event.preventDefault();
  event.stopPropagation();
  openDialog(url + part, from);
  return true;
}

export const plain = (event) => !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

document.addEventListener("click", (event) => {
  const panel = document.getElementById("ticket-panel");
  if (!panel || !event.target.closest("#ticket-panel [data-close]")) return;
  event.preventDefault();
  panel.hidden = true;
  panel.replaceChildren(); // a panel nobody sees asks nothing
  if (opener?.isConnected) opener.focus();
});
