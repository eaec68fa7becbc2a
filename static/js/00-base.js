// Makes pages smoother. Every page works without these files: they only add to links and forms that are there already. All
// of js/ is one program in one scope (see static.go); this part comes first.
const root = document.documentElement;
root.classList.add("js");

const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const found = event.target instanceof Element ? event.target.closest(selector) : null;
    if (found) act(found, event);
  });
const each = (selector, act, within = document) => within.querySelectorAll(selector).forEach(act);
