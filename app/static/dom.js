/** Making elements. Text always goes through textContent, so that nothing said can become markup. */
export function make(tag, properties = {}, ...children) {
  const { class: className, data, aria, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(data ?? {})) node.dataset[name] = value;
  for (const [name, value] of Object.entries(aria ?? {})) node.setAttribute(`aria-${name}`, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** An svg element; `attributes` are written as they are. */
export function drawing(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const ICONS = {
  play: "M8 5.5v13l10.5-6.5z",
  download: "M12 4.5v11m-4.5-4L12 16l4.5-4.5M5 19.5h14",
  ok: "m5.5 12.5 4.5 4.5 9-10",
  poor: "M12 5.5v8m0 4v.5",
  failed: "m6.5 6.5 11 11m0-11-11 11",
  waiting: "M7 12h.01M12 12h.01M17 12h.01",
};

export function icon(name) {
  return drawing("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, drawing("path", { d: ICONS[name], class: "line" }));
}
