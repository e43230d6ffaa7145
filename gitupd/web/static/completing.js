// Completes keys and values in boxes that search for devices; what there is comes from the address in data-completes.
"use strict";

const MOST = 10;
const TERM = /(?:"[^"]*"?|[^\s"])*$/; // what is typed in front of the caret, up to the last blank outside of quotes
const NAMES = /^(?:(?:type|phase|env|class|firmware|bootcode):|[^:]*$)/; // what is offered before a key is typed
const list = document.createElement("ul");
list.id = "completions";
list.className = "completions";
list.hidden = true;
list.setAttribute("role", "listbox");
const told = document.createElement("p");
told.className = "visually-hidden";
told.setAttribute("role", "status");
document.body.append(list, told);

let vocabulary = null;
let box = null;
let offered = [];
let active = -1;

async function learn(address) {
  vocabulary ??= fetch(address).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
  try {
    return await vocabulary;
  } catch {
    vocabulary = null; // the box works without, and the next time it may be there
    return { keys: [], words: [] };
  }
}

// The term at the caret: where what may be completed begins, and what of it stays in front of each offer.
function term_at_caret() {
  const [term] = TERM.exec(box.value.slice(0, box.selectionStart));
  const start = box.selectionStart - term.length;
  const minus = term.startsWith("-") ? "-" : "";
  const comma = term.lastIndexOf(",") + 1;
  const key = /^-?([a-z]+):/i.exec(term)?.[1].toLowerCase() ?? "";
  const kept = comma ? term.slice(0, comma) : minus;
  return { start, end: start + term.length, key, kept, typed: term.slice(kept.length).toLowerCase(), further: comma > 0 };
}

function matching({ keys, words }, { key, typed, further }) {
  const wanted = typed.replace(/^[a-z.]+:/, "").replaceAll('"', "");
  const value = (word) => word.slice(word.indexOf(":") + 1);
  const plain = (word) => value(word).replaceAll('"', "").toLowerCase();
  const first = (words, text) => [...words.filter(([word]) => plain(word).startsWith(text)),
    ...words.filter(([word]) => !plain(word).startsWith(text) && plain(word).includes(text))];
  if (key) {
    const found = first(words.filter(([word]) => word.startsWith(`${key}:`)), wanted);
    return further ? found.map(([word, note]) => [value(word), note]) : found;
  }
  if (further) return [];
  const begun = keys.filter(([name]) => name.startsWith(wanted)).map(([name, note]) => [`${name}:`, note]);
  return wanted ? [...begun, ...first(words.filter(([word]) => NAMES.test(word)), wanted)] : begun;
}

function close() {
  list.hidden = true;
  active = -1;
  box?.removeAttribute("aria-activedescendant");
}

function point(number) {
  active = number;
  for (const [at, each] of [...list.children].entries()) each.setAttribute("aria-selected", String(at === number));
  if (number < 0) box.removeAttribute("aria-activedescendant");
  else box.setAttribute("aria-activedescendant", list.children[number].id);
}

function show(found) {
  offered = found.slice(0, MOST);
  const term = term_at_caret();
  if (offered.length === 1 && term.kept + offered[0][0] === box.value.slice(term.start, term.end)) offered = [];
  list.replaceChildren(...offered.map(([word, note], at) => {
    const each = document.createElement("li");
    const means = document.createElement("span");
    each.id = `completion-${at}`;
    each.setAttribute("role", "option");
    each.append(Object.assign(document.createElement("code"), { textContent: word }), means);
    means.textContent = note;
    return each;
  }));
  const place = box.getBoundingClientRect();
  Object.assign(list.style, { left: `${place.left + scrollX}px`, top: `${place.bottom + scrollY + 2}px`, width: `${place.width}px` });
  list.hidden = !offered.length;
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  list.setAttribute("aria-label", box.dataset.offers);
  told.textContent = offered.length ? box.dataset.offered.replace("{}", offered.length) : "";
  point(-1);
}

async function offer(even_empty) {
  const asked = box;
  const words = await learn(asked.dataset.completes);
  if (asked !== box || document.activeElement !== box) return;
  const term = term_at_caret();
  if (term.typed || term.key || even_empty) show(matching(words, term));
  else close();
}

function take(number) {
  const { start, end, kept } = term_at_caret();
  const [word] = offered[number];
  const ends = word.endsWith(":") ? "" : " ";
  const before = box.value.slice(0, start) + kept + word + ends;
  box.value = before + box.value.slice(end).trimStart();
  box.setSelectionRange(before.length, before.length);
  close();
  if (!ends) offer(true);
}

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("[data-completes]")) return;
  box = event.target;
  offer(false);
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-completes]") || event.isComposing) return;
  box = event.target;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (list.hidden) offer(true);
    else point((active + (event.key === "ArrowDown" ? 1 : offered.length + (active < 0 ? 0 : -1))) % offered.length);
  } else if (event.key === "Enter" && !list.hidden && active >= 0) {
    event.preventDefault();
    take(active);
  } else if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    close();
  }
});

document.addEventListener("focusout", (event) => { if (event.target === box) close(); });
list.addEventListener("pointerdown", (event) => {
  event.preventDefault(); // the box keeps the focus
  const each = event.target.closest("li");
  if (each) take([...list.children].indexOf(each));
});
addEventListener("resize", close);
