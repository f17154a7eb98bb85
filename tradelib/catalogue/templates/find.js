"use strict";
(() => {
  const at = id => document.getElementById(id);
  const form = at("find"), words = at("words"), release = at("release"), order = at("order");
  const boxes = [...form.elements.marks], alphabet = new Intl.Collator("en");

  // " korea south kr kor 5800 ...": a word typed is looked for at the beginning of words
  const plain = text => " " + text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ").trim();

  const sections = [...document.querySelectorAll("section")].map(element => {
    const title = element.querySelector("h2").textContent;
    const body = element.querySelector("tbody");
    const rows = [...body.rows].map(row => ({
      row,
      name: row.cells[0].textContent,
      text: plain([row.cells[0].textContent, row.dataset.codes, row.cells[4].firstChild.textContent, title].join(" ")),
      marks: row.className.split(" "),
      change: Number(row.dataset.change ?? NaN),
    }));
    return { element, body, rows, release: element.dataset.release, given: [...rows] };
  });
  const total = sections.reduce((sum, section) => sum + section.rows.length, 0);
  let sorted = "";

  // what has no change comes last, whichever way the others go
  const by = {
    improved: (a, b) => isNaN(a.change) - isNaN(b.change) || b.change - a.change,
    worsened: (a, b) => isNaN(a.change) - isNaN(b.change) || a.change - b.change,
    name: (a, b) => alphabet.compare(a.name, b.name),
  };

  function sort() {
    if (sorted === order.value) return;
    sorted = order.value;
    for (const section of sections) {
      section.rows = by[sorted] ? [...section.given].sort(by[sorted]) : section.given;
      section.body.append(...section.rows.map(one => one.row));
    }
  }

  function filter() {
    const wanted = plain(words.value).split(" ").filter(Boolean).map(word => " " + word);
    const marks = boxes.filter(box => box.checked).map(box => box.value);
    let shown = 0;
    for (const section of sections) {
      const here = !release.value || release.value === section.release;
      let some = 0;
      for (const one of section.rows) {
        const fits = here && wanted.every(word => one.text.includes(word))
          && (!marks.length || marks.some(mark => one.marks.includes(mark)));
        if (one.row.hidden === fits) one.row.hidden = !fits;
        some += fits;
      }
      section.element.hidden = !some;
      section.element.style.setProperty("--rows", some); // its height, as long as it is out of sight
      shown += some;
    }
    at("count").textContent = `${shown.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} shown`;
    at("none").hidden = shown > 0 || !total;
  }

  // the view stands in the address, so that it can be linked
  function write() {
    const view = new URLSearchParams();
    if (words.value.trim()) view.set("q", words.value.trim());
    if (release.value) view.set("release", release.value);
    if (order.value) view.set("order", order.value);
    for (const box of boxes) if (box.checked) view.append("mark", box.value);
    history.replaceState(null, "", `#${view}`);
  }

  function read() {
    if (location.hash && !location.hash.includes("=")) return; // a place on the page
    const view = new URLSearchParams(location.hash.slice(1));
    words.value = view.get("q") ?? "";
    for (const [list, value] of [[release, view.get("release")], [order, view.get("order")]]) {
      list.value = value ?? "";
      if (list.selectedIndex < 0) list.value = ""; // the address names one that there is not
    }
    for (const box of boxes) box.checked = view.getAll("mark").includes(box.value);
    sort();
    filter();
  }

  const changed = () => { sort(); filter(); write(); };
  form.addEventListener("input", changed);
  form.addEventListener("reset", () => setTimeout(changed));
  form.addEventListener("submit", event => { // Enter goes to the first brief found
    event.preventDefault();
    document.querySelector("tbody tr:not([hidden]) a")?.focus();
  });
  addEventListener("hashchange", read);
  read();
})();
