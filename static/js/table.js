// The table of tickets: ticking rows, and the buttons above them that open the dialog for all that are ticked. Without
// this file the same form leads to the same page.
import { openDialog } from "./dialogs.js";
import { toast } from "./toasts.js";

const form = () => document.querySelector("form[data-several]");
const boxes = () => [...(form()?.querySelectorAll("input[name=tickets]") ?? [])];
const ticked = () => boxes().filter((box) => box.checked).length;
const all = () => form()?.querySelector("input[name=all]");
let last = null; // the box that was ticked last: Shift ticks from there

function say() {
  const words = form()?.querySelector("[data-several-count]");
  if (!words) return;
  const count = ticked();
  words.textContent = all()?.checked ? "All found" : count ? `${count} selected` : "Tick tickets to change them";
  const link = form().querySelector("[data-several-page]");
  if (link) link.textContent = count === boxes().length ? "Tick none" : "Tick all on this page";
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-several-page]")) {
    event.preventDefault();
    const on = ticked() < boxes().length;
    boxes().forEach((box) => (box.checked = on));
    say();
    return;
  }
  const box = event.target.closest("form[data-several] input[name=tickets]");
  if (!box) return;
  const row = boxes();
  if (event.shiftKey && last?.isConnected) {
    const [from, to] = [row.indexOf(last), row.indexOf(box)].sort((a, b) => a - b);
    row.slice(from, to + 1).forEach((one) => (one.checked = box.checked));
  }
  last = box;
});
document.addEventListener("change", (event) => {
  if (event.target.closest("form[data-several]")) say();
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-several]")) return;
  event.preventDefault();
  event.stopPropagation();
  if (!ticked() && !all()?.checked) {
    toast("Tick some tickets first.");
    return;
  }
  const data = new FormData(event.target, event.submitter);
  if (!all()?.checked) for (const name of [...data.keys()]) if (!["tickets", "part", "next"].includes(name)) data.delete(name);
  openDialog(`${event.target.action}?${new URLSearchParams(data)}`, event.submitter ?? undefined);
}, true);
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.request.method === "GET" || !(ctx.response?.status < 300)) return;
  boxes().forEach((box) => (box.checked = false));
  if (all()) all().checked = false;
  say();
});
// What somebody ticked stays: the table does not ask again meanwhile.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement === form() && ctx.sourceEvent?.type === "ir:tick" && (ticked() || all()?.checked)) event.preventDefault();
});
