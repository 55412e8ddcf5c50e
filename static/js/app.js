// Shared by all pages. Each part attaches to data- attributes by delegation, so it works again after every swap.
import "./apply.js";
import "./dialogs.js";
import "./drafts.js";
import "./hotkeys.js";
import "./refresh.js";
import "./tags.js";
import "./toasts.js";
import "./toolbar.js";
import "./upload.js";
import "./write.js";

// On a narrow screen the tabs scroll sideways: the one that is open is in sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
