// What open311 0.0.12 uses of xml2json: elements as objects, a repeated tag as an array. Elements without attributes only.
"use strict";

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function text(raw) {
  return raw.replace(/&(#x?[0-9a-f]+|\w+);/gi, (_, name) => {
    if (name[0] !== "#") return ENTITIES[name];
    return String.fromCodePoint(name[1] === "x" ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10));
  });
}

// The document as a tree: { name, children, text }.
exports.tree = function tree(xml) {
  const root = { name: "", children: [], text: "" };
  const open = [root];
  for (const [, declaration, closing, name, empty, words] of xml.matchAll(/(<\?[^>]*\?>)|<(\/?)([\w.-]+)(\s*\/)?>|([^<]+)/g)) {
    const here = open[open.length - 1];
    if (declaration) continue;
    if (words !== undefined) here.text += text(words);
    else if (closing) open.pop();
    else {
      const child = { name, children: [], text: "" };
      here.children.push(child);
      if (!empty) open.push(child);
    }
  }
  return root.children[0];
};

function plain(element) {
  if (!element.children.length) return element.text || {};
  const found = {};
  for (const child of element.children) {
    const value = plain(child);
    if (!(child.name in found)) found[child.name] = value;
    else found[child.name] = [].concat(found[child.name], [value]);
  }
  return found;
}

exports.toJson = function toJson(xml) {
  const root = exports.tree(xml);
  return { [root.name]: plain(root) };
};
