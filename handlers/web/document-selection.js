// Which documents are selected: some by their ids, or all of the list. No DOM.

export class DocumentSelection extends EventTarget {
  all = false;
  #chosen = new Map(); // id: the document

  has(doc) {
    return this.all || this.#chosen.has(doc.id);
  }

  count(total) {
    return this.all ? total : this.#chosen.size;
  }

  /** The documents themselves; of all of a list only the filters are known. */
  get documents() {
    return [...this.#chosen.values()];
  }

  toggle(doc) {
    if (this.all) this.clear();
    else {
      if (!this.#chosen.delete(doc.id)) this.#chosen.set(doc.id, doc);
      this.#changed();
    }
  }

  add(documents) {
    for (const doc of documents) this.#chosen.set(doc.id, doc);
    this.#changed();
  }

  selectAll() {
    this.#chosen.clear();
    this.all = true;
    this.#changed();
  }

  clear() {
    if (!this.all && !this.#chosen.size) return;
    this.all = false;
    this.#chosen.clear();
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
