// Files. A form with data-upload is sent with a progress bar; files dropped anywhere on a ticket go the same way. A
// picture pasted into a text of an incident is attached to the ticket it belongs to (or to the incident as a whole), and
// a link to it stands where the caret was.
import { toast } from "./toasts.js";

function send(url, data, progressed, panel) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
    request.open("POST", url);
    request.setRequestHeader("HX-Request", "true");
    if (panel) request.setRequestHeader("HX-Target", "section#ticket");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progressed(event.loaded / event.total));
    request.addEventListener("load", () => done(request));
    request.addEventListener("error", () => failed(new Error("no connection")));
    request.send(data);
  });
}

function bar(form) {
  const box = document.createElement("div");
  box.className = "upload";
  box.setAttribute("role", "status");
  const words = document.createElement("span");
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", "Upload");
  box.append(words, progress);
  form.append(box);
  return {
    to(part) {
      progress.value = part;
      words.textContent = part < 1 ? `Sending, ${Math.floor(part * 100)} %` : "Sent, being stored";
    },
    remove: () => box.remove(),
  };
}

function tooLarge(form, dropped) {
  for (const input of form.querySelectorAll("input[type=file][data-max-bytes]")) {
    const file = [...(dropped ? [dropped] : input.files)].find(({ size }) => size > Number(input.dataset.maxBytes));
    if (file) return `${file.name} is larger than ${Math.floor(Number(input.dataset.maxBytes) / 1048576)} MB.`;
  }
  return "";
}

async function upload(form, submitter, file = null) {
  const refused = tooLarge(form, file);
  if (refused) {
    toast(refused, { bad: true });
    return;
  }
  const shown = bar(form);
  if (submitter) submitter.disabled = true;
  try {
    const panel = form.closest("#ticket");
    const data = new FormData(form, submitter);
    if (file) data.set("file", file, file.name);
    const request = await send(form.action, data, shown.to, panel);
    if (!panel || !showFiles(request)) answer(form, request);
  } catch {
    toast("No connection. The file was not sent; try again.", { bad: true });
  } finally {
    shown.remove();
    if (submitter) submitter.disabled = false;
  }
}

// Of the ticket that comes back only its files are shown anew (and what it says): what is being typed stays.
function showFiles(request) {
  if (request.status >= 300 || request.getResponseHeader("HX-Redirect")) return false;
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const files = page.getElementById("ticket-files");
  const here = document.getElementById("ticket-files");
  if (!files || !here) return false;
  const words = [...page.querySelectorAll("hx-partial")].map((one) => one.outerHTML);
  htmx.swap({ text: files.outerHTML + words.join(""), sourceElement: here, target: here, swap: "outerHTML" });
  return true;
}

function answer(form, request) {
  const to = request.getResponseHeader("HX-Redirect");
  if (to) location.assign(to);
  else if (request.status < 300 || request.status === 422) {
    const inDialog = form.closest("#dialog-body");
    htmx.swap({
      text: request.responseText, sourceElement: form, target: inDialog ?? form, swap: inDialog ? "innerHTML" : "outerHTML",
    });
  } else if (request.status === 413) toast("That is too large.", { bad: true });
  else toast(`The file was refused (${request.status}).`, { bad: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("upload" in form.dataset) || event.defaultPrevented) return;
  event.preventDefault();
  upload(form, event.submitter);
});

// -- Dropped on a ticket ------------------------------------------------------------------------------------------------
const ticketUnder = (event) =>
  event.dataTransfer?.types.includes("Files") ? event.target.closest?.("[data-drop-files]") : null;

document.addEventListener("dragover", (event) => {
  const ticket = ticketUnder(event);
  if (!ticket) return;
  event.preventDefault(); // or the browser would leave the page for the file
  event.dataTransfer.dropEffect = "copy";
  ticket.classList.add("is-over");
});
for (const name of ["dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const ticket = event.target.closest?.("[data-drop-files]");
    if (ticket && !(name === "dragleave" && ticket.contains(event.relatedTarget))) ticket.classList.remove("is-over");
  });
}
document.addEventListener("drop", async (event) => {
  const ticket = ticketUnder(event);
  if (!ticket) return;
  event.preventDefault();
  for (const file of event.dataTransfer.files) {
    const form = ticket.querySelector("form[data-upload]"); // after each file it is a new one
    if (form) await upload(form, null, file);
  }
});

// -- Pasted into a text ---------------------------------------------------------------------------------------------------
const ENDINGS = { "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp" };

function attachUrl(area) {
  const incident = /^\/incidents\/IR-[\d-]+\//.exec(location.pathname)?.[0];
  if (!incident) return "";
  const action = new URL(area.form?.action || location.href, location).pathname;
  const number = /\/tickets\/(\d+)\//.exec(action)?.[1];
  return number && number !== "100" ? `${incident}tickets/${number}/files/add/` : `${incident}files/add/`;
}

function replace(area, old, text) {
  const at = area.value.indexOf(old);
  if (at >= 0) area.setRangeText(text, at, at + old.length, document.activeElement === area ? "end" : "preserve");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

async function paste(area, file, url) {
  const now = new Date().toISOString(); // UTC, as every time on the pages
  const name = `screenshot-${now.slice(0, 10)}-${now.slice(11, 16).replace(":", "")}.${ENDINGS[file.type]}`;
  const waiting = `[${name} is being sent]`;
  area.setRangeText(waiting, area.selectionStart, area.selectionEnd, "end");
  const data = new FormData();
  data.append("file", file, name);
  data.append("csrfmiddlewaretoken", area.form?.elements.csrfmiddlewaretoken?.value ?? "");
  const shown = bar(area.parentElement);
  try {
    const panel = area.closest("#ticket");
    const request = await send(url, data, shown.to, panel);
    const place = request.getResponseHeader("Content-Location");
    if (request.status >= 300 || !place) throw new Error(refusal(request));
    replace(area, waiting, `[${name}](${place}?inline=1)`);
    if (!panel || !showFiles(request)) toast(`${name} attached.`);
  } catch (error) {
    replace(area, waiting, "");
    toast(`The screenshot was not attached: ${error.message}.`, { bad: true });
  } finally {
    shown.remove();
  }
}

function refusal(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const said = page.querySelector(".invalid-feedback, [data-summary]")?.textContent.trim().replace(/\.$/, "");
  return request.status === 422 && said ? said : request.status === 413 ? "it is too large" : `refused (${request.status})`;
}

document.addEventListener("paste", (event) => {
  const area = event.target.closest?.("textarea");
  const file = area && [...(event.clipboardData?.files ?? [])].find(({ type }) => type in ENDINGS);
  const url = file ? attachUrl(area) : "";
  if (!url) return;
  event.preventDefault();
  paste(area, file, url);
});
