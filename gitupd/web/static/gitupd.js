// Convenience for pages that work without it: relative times, copy buttons, live refresh.
"use strict";

// What is said here comes with the page, in its language; see script_words() in wording.py.
const WORDS = JSON.parse(document.body.dataset.words);
const said = (text, value) => text.replace("{}", value);

function ago(at) {
  const seconds = (Date.now() - at) / 1000;
  for (const [size, past, future] of WORDS.spans) {
    const number = Math.floor(Math.abs(seconds) / size);
    if (number) return said((seconds >= 0 ? past : future)[number === 1 ? 0 : 1], number);
  }
  return seconds >= 0 ? WORDS.now : WORDS.soon;
}

const LANGUAGE = document.documentElement.lang;
// English of the kind that the browser knows.

function tell_times(root) {
  for (const each of root.querySelectorAll("time[datetime]:not([data-plain])")) {
    const at = new Date(each.dateTime);
    const text = ago(at);
    if (each.textContent !== text) each.textContent = text;
  }
}

function add_copy_buttons(root) {
  if (!navigator.clipboard) return;
  for (const each of root.querySelectorAll("[data-copy]")) {
    if (each.nextElementSibling?.classList.contains("copy")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.title = WORDS.copy;
    button.setAttribute("aria-label", said(WORDS.copyThis, each.dataset.copy.slice(0, 60)));
    each.after(button);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.(".copy");
  if (!button) return;
  await navigator.clipboard.writeText(button.previousElementSibling.dataset.copy);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
});

// Check boxes: one for all rows, and how many are chosen.
function count_chosen() {
  for (const form of document.querySelectorAll("form[data-choice]")) {
    const boxes = [...form.querySelectorAll("input[type=checkbox][data-row]")];
    const chosen = boxes.filter((box) => box.checked).length;
    const every = form.querySelector("input[type=checkbox][data-every]");
    if (every) {
      every.checked = chosen > 0 && chosen === boxes.length;
      every.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    const told = form.querySelector("[data-chosen]");
    const text = chosen ? said(WORDS.chosen, chosen) : told?.dataset.chosen;
    if (told && told.textContent !== text) told.textContent = text;
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-choice]");
  if (form && event.target.matches("[data-every]")) {
    for (const box of form.querySelectorAll("[data-row]")) box.checked = event.target.checked;
  }
  if (form) count_chosen();
  if (event.target.matches?.("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies-chosen]");
  if (!button) return;
  const chosen = [...button.form.querySelectorAll("input[data-row]:checked")].map((box) => box.value);
  await navigator.clipboard.writeText(chosen.join("\n"));
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
});

// Shift and a click choose all rows between two boxes.
let last_box = null;
document.addEventListener("click", (event) => {
  const box = event.target.closest?.("form[data-choice] input[data-row]");
  if (!box) return;
  if (event.shiftKey && last_box?.isConnected && last_box.form === box.form) {
    const boxes = [...box.form.querySelectorAll("input[data-row]")];
    const [first, last] = [boxes.indexOf(last_box), boxes.indexOf(box)].sort((one, other) => one - other);
    for (const each of boxes.slice(first, last + 1)) each.checked = box.checked;
    count_chosen();
  }
  last_box = box;
});

// A click on a row opens what its first link to a page of its own leads to; beside a box it ticks the box.
document.addEventListener("click", (event) => {
  const cell = event.target.closest?.("table[data-opens] tbody td");
  if (!cell || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (event.target.closest("a, button, input, label, summary, abbr") || String(getSelection())) return;
  (cell.querySelector("input[data-row]") ?? cell.parentElement.querySelector("a[href^='/devices/']"))?.click();
});

// Live refresh: what differs is replaced in place, so that focus, selection, scrolling and what was typed stay.
const OWN = new Set(["open", "hidden", "aria-activedescendant", "aria-autocomplete", "aria-controls"]);

function renew_attributes(here, there) {
  for (const { name, value } of there.attributes) {
    if (!OWN.has(name) && here.getAttribute(name) !== value) here.setAttribute(name, value);
  }
  for (const { name } of [...here.attributes]) {
    if (!OWN.has(name) && !there.hasAttribute(name)) here.removeAttribute(name);
  }
}

function renew(here, there) {
  if (here.nodeType !== Node.ELEMENT_NODE) {
    if (here.data !== there.data) here.data = there.data;
    return;
  }
  if (here.matches("time") && there.dateTime === here.dateTime) return;
  renew_attributes(here, there);
  renew_children(here, there);
}

function renew_children(here, there) {
  const kept = new Map([...here.children].filter((each) => each.id).map((each) => [each.id, each]));
  let place = past_buttons(here.firstChild);
  for (const wanted of [...there.childNodes]) {
    const known = wanted.id ? kept.get(wanted.id) : null;
    if (known && known.nodeName === wanted.nodeName) {
      if (known === place) place = past_buttons(place.nextSibling);
      else here.insertBefore(known, place);
      renew(known, wanted);
    } else if (place && !wanted.id && !place.id && place.nodeName === wanted.nodeName) {
      const next = past_buttons(place.nextSibling);
      renew(place, wanted);
      place = next;
    } else {
      here.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
  for (const each of here.querySelectorAll(":scope > .copy")) {
    if (!each.previousElementSibling?.dataset.copy) each.remove();
  }
}

// Copy buttons are the script's own, and stand in no answer of the server.
function past_buttons(node) {
  while (node?.classList?.contains("copy")) node = node.nextSibling;
  return node;
}

const lost = document.getElementById("lost");
let answered = new Date();

async function refresh() {
  try {
    const response = await fetch(location.href, { cache: "no-store", headers: { "X-Refresh": "1" } });
    if (new URL(response.url).pathname === "/login") throw new Error(WORDS.loggedOut);
    if (!response.ok) throw new Error(said(WORDS.answers, response.status));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const here of document.querySelectorAll("[data-live][id]")) {
      const there = page.getElementById(here.id);
      if (there) renew_children(here, there);
    }
    document.body.dataset.refresh = page.body.dataset.refresh ?? "0"; // what a page waits for may have come
    answered = new Date();
    lost.hidden = true;
    dress(document);
  } catch (error) {
    const reason = error instanceof TypeError ? WORDS.unreachable : error.message;
    lost.textContent = `${reason} ${said(WORDS.asOf, answered.toLocaleTimeString(LANGUAGE === "en" ? undefined : LANGUAGE))}`;
    lost.hidden = false;
  }
}

function keep_refreshing() {
  const seconds = () => Number(document.body.dataset.refresh);
  let due = Date.now() + seconds() * 1000;
  const look = async () => {
    if (!document.hidden && Date.now() >= due) {
      await refresh();
      due = Date.now() + seconds() * 1000;
    }
    if (seconds() > 0) setTimeout(look, Math.min(1000, seconds() * 1000));
  };
  document.addEventListener("visibilitychange", () => { due = Math.min(due, Date.now() + 500); });
  look();
}

function dress(root) {
  tell_times(root);
  add_copy_buttons(root);
  count_chosen();
  for (const each of root.querySelectorAll("[data-copies-chosen]")) each.hidden = !navigator.clipboard;
}

dress(document);
setInterval(() => { if (!document.hidden) tell_times(document); }, 20000);
if (Number(document.body.dataset.refresh) > 0) keep_refreshing();
