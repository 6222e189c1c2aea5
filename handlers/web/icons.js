// The icons of the page, drawn here: a policy without inline styles and images from elsewhere allows SVG elements.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.3 15.3 20 20",
  collections: "M4 6.5h6l2 2.5h8v9.5H4zM4 6.5v12",
  operations: "M3.5 12h4l2.5-7 4 14 2.5-7h4",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c.8-3.6 3.7-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
};

/** An SVG element with attributes and children. */
export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A decorative icon: what it stands for is said beside it, or by the name of its button. */
export function icon(name) {
  return svg("svg", {
    viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", fill: "none", stroke: "currentColor",
    "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round",
  }, svg("path", { d: PATHS[name] }));
}
