// Dialogs. A link with data-dialog loads its page's fragment into the one <dialog>; a form inside is sent from there.
// What the answer means: 422 and 409 stay in the dialog, HX-Redirect leaves the page, an answer without a main part
// (204, or only <hx-partial>s) closes the dialog. data-confirm asks first, in a dialog whose safe button has focus.
import { toast } from "./toasts.js";

const dialog = document.getElementById("dialog");
const body = document.getElementById("dialog-body");
const FIRST = "[autofocus], [data-summary], [role=alert][tabindex], input:not([type=hidden], :disabled), select, textarea";
let typed = false; // something in the dialog was changed and not sent
let warned = false;

export function openDialog(url, opener = document.body) {
  return htmx.ajax("GET", url, { source: opener, target: "#dialog-body", swap: "innerHTML" });
}

function show() {
  const title = body.querySelector("h2[id]");
  if (title) dialog.setAttribute("aria-labelledby", title.id);
  if (!dialog.open) dialog.showModal();
  const first = body.querySelector(FIRST);
  first?.focus();
  if (first?.matches("[data-select]")) first.select(); // what stands there is to be written over
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a[data-dialog]");
  if (link && dialog) {
    event.preventDefault();
    openDialog(link.href, link);
  } else if (event.target.closest("dialog [data-close]")) {
    event.preventDefault(); // it may be a link, for where there is no dialog
    event.target.closest("dialog").close();
  } else {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open)?.showModal();
  }
});

dialog?.addEventListener("input", () => {
  typed = true;
  warned = false;
});
dialog?.addEventListener("cancel", (event) => {
  if (event.target !== dialog || !typed || warned) return;
  event.preventDefault();
  warned = true;
  const kept = body.querySelector("[data-draft]"); // drafts.js
  toast(kept ? "Not saved yet. Press Esc again to leave it: the text is kept as a draft." : "Not saved yet. Press Esc again to throw it away.");
});
dialog?.addEventListener("close", () => {
  typed = warned = false;
  body.replaceChildren();
});

document.addEventListener("htmx:after:settle", (event) => {
  if (event.target === body && body.childElementCount) show();
});

// -- Forms ----------------------------------------------------------------------------------------------------------
function confirmed(form, submitter) {
  const question = submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.confirmed) {
    delete form.dataset.confirmed;
    return true;
  }
  ask(question, submitter?.textContent.trim() || "Do it").then((yes) => {
    if (!yes) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
  });
  return false;
}

function ask(question, action) {
  const box = document.createElement("dialog");
  box.className = "dlg";
  box.setAttribute("aria-label", question);
  const part = (name, css, text) => {
    const element = document.createElement(name);
    element.className = css;
    element.textContent = text;
    return element;
  };
  const buttons = part("div", "buttons", "");
  const yes = part("button", "btn btn-danger", action);
  const no = part("button", "btn", "Cancel");
  no.autofocus = true;
  buttons.append(yes, no);
  const inside = part("div", "body d-grid gap-3", "");
  inside.append(part("p", "m-0", question), buttons);
  box.append(inside);
  document.body.append(box);
  return new Promise((answer) => {
    yes.addEventListener("click", () => box.close("yes"));
    no.addEventListener("click", () => box.close());
    box.addEventListener("close", () => {
      box.remove();
      answer(box.returnValue === "yes");
    });
    box.showModal();
  });
}

// While a request runs its button is off; a page that comes back from the browser's cache has it on again.
function press(button) {
  if (!button) return;
  button.disabled = true;
  button.dataset.pressed = "";
}
function release(root = document) {
  root.querySelectorAll("[data-pressed]").forEach((button) => {
    button.disabled = false;
    delete button.dataset.pressed;
  });
}
window.addEventListener("pageshow", () => release());

document.addEventListener(
  "submit",
  (event) => {
    if (confirmed(event.target, event.submitter)) return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || "upload" in form.dataset) return;
  const own = [...form.attributes].some(({ name }) => /^hx-(post|get|put|patch|delete|action)$/.test(name));
  if (body?.contains(form) && !own && !event.defaultPrevented) {
    event.preventDefault();
    const options = { source: form, event, target: "#dialog-body", swap: "innerHTML" };
    htmx.ajax(form.method, form.action, options).finally(() => release(form));
    press(event.submitter);
  } else {
    setTimeout(press, 0, event.submitter); // after the browser has taken the button's own value
  }
});
const filled = new WeakSet(); // answers that had a main part
document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  if (tasks.some(({ type }) => type === "main")) filled.add(ctx);
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.request.method === "GET") return;
  release();
  const sent = ctx.response?.status < 300 && !ctx.hx?.redirect;
  if (!sent || !body) return;
  typed = false;
  if (body.contains(ctx.request.form) && (ctx.response.status === 204 || !filled.has(ctx))) dialog.close();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest("form");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
});
