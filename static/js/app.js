// Shared by all pages. Each part attaches to data- attributes by delegation, so it works again after every swap.
import "./dialogs.js";
import "./hotkeys.js";
import "./refresh.js";
import "./toasts.js";
import "./upload.js";
