// Makes pages smoother. Every page works without these files: they only add to links and forms that are there already. All
// of js/ is one program: what stands in this file all others see; each of them keeps its own names to itself (static.go).
const root = document.documentElement;
root.classList.add("js");

const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const found = event.target instanceof Element ? event.target.closest(selector) : null;
    if (found) act(found, event);
  });
const each = (selector, act, within = document) => within.querySelectorAll(selector).forEach(act);

// Once the page stands, and once it stands or a part of it was swapped.
const atStart = (act) => document.addEventListener("DOMContentLoaded", act);
const always = (act) => {
  atStart(act);
  document.addEventListener("htmx:after:swap", act);
};

// The one live region: what is told here is read out, wherever on the page it happened. While a dialog is open only what
// stands in it is read.
const tell = (words) => {
  const region = document.getElementById("said");
  if (!region || !words) return;
  const heard = document.querySelector("dialog:modal") ?? document.body;
  if (region.parentElement !== heard) heard.append(region);
  region.textContent = "";
  setTimeout(() => (region.textContent = words), 50);
};

// A short word for what the page doesn't show itself.
const say = (text) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts")?.append(toast);
};

// What is kept in this browser alone; where it keeps nothing, everything is as at first.
const remembered = (store, key) => {
  try {
    return store.getItem(key);
  } catch {
    return null;
  }
};
const remember = (store, key, value) => {
  try {
    if (value === null) store.removeItem(key);
    else store.setItem(key, value);
  } catch {
    // Full, or not allowed: then it is asked again next time.
  }
};
