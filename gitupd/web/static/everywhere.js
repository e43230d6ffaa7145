// The search at the top of every page: "/" and Ctrl-K lead to it, and what is found is shown as one types.
"use strict";

const PAUSE = 200; // milliseconds without a key before the server is asked
const SHORTEST = 2;

const box = document.getElementById("everywhere");

function make(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function open_search(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing;
  const control = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (!slash && !control) return;
  event.preventDefault();
  if (box.offsetParent === null) { // where there is little room, it is a page of its own
    location.assign(box.form.action);
    return;
  }
  box.focus();
  box.select();
}

function watch_box() {
  const list = make("div", "", { id: "leads", role: "listbox", "aria-label": box.placeholder, class: "leads" });
  list.hidden = true;
  box.form.append(list);
  for (const [key, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "leads", "aria-autocomplete": "list" })) {
    box.setAttribute(key, value);
  }
  let asked = "", waiting = 0, asking = null, at = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function show(open) {
    list.hidden = !open;
    box.setAttribute("aria-expanded", String(open));
    if (!open) choose(-1);
  }

  function choose(number) {
    const all = options();
    at = all.length ? Math.max(-1, Math.min(number, all.length - 1)) : -1;
    all.forEach((each, index) => each.setAttribute("aria-selected", String(index === at)));
    if (at < 0) box.removeAttribute("aria-activedescendant");
    else {
      box.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    }
  }

  function fill(kinds) {
    list.replaceChildren();
    let number = 0;
    for (const kind of kinds) {
      const group = make("div", "", { role: "group", "aria-label": kind.title });
      group.append(make("p", kind.title, { "aria-hidden": "true" }));
      for (const lead of kind.leads) {
        const option = make("a", lead.title, { role: "option", id: `lead-${number++}`, href: lead.url, tabindex: "-1", "aria-selected": "false" });
        if (lead.detail) option.append(" ", make("span", lead.detail));
        group.append(option);
      }
      list.append(group);
    }
    show(number > 0);
    choose(-1);
  }

  async function ask() {
    const text = box.value.trim();
    if (text === asked) return;
    asked = text;
    asking?.abort();
    if (text.length < SHORTEST) {
      show(false);
      return;
    }
    asking = new AbortController();
    try {
      const response = await fetch(`${box.dataset.leads}?${new URLSearchParams({ q: text })}`, { signal: asking.signal });
      const answer = response.ok && response.headers.get("Content-Type").includes("json") ? await response.json() : [];
      if (text === box.value.trim()) fill(answer);
    } catch (error) {
      if (error.name !== "AbortError") show(false); // the form still leads to the page
    }
  }

  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) show(options().length > 0);
      else choose(at + (event.key === "ArrowDown" ? 1 : -1));
      event.preventDefault();
    } else if (event.key === "Escape") {
      if (list.hidden) box.blur();
      else show(false);
    } else if (event.key === "Enter" && at >= 0 && !list.hidden) {
      event.preventDefault();
      options()[at].click();
    }
  });
  box.form.addEventListener("focusout", (event) => {
    if (!box.form.contains(event.relatedTarget)) show(false);
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus until the click
}

if (box) {
  document.addEventListener("keydown", open_search);
  watch_box();
}
