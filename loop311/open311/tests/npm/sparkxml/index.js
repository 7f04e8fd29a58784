// What open311 0.0.12 uses of sparkxml: the "Spark" convention, by which children of one tag are an array, even of one.
"use strict";

const { tree } = require("../xml2json");

function spark(element) {
  if (!element.children.length) return element.text || null;
  const names = new Set(element.children.map((child) => child.name));
  if (names.size === 1) return element.children.map(spark);
  return Object.fromEntries(element.children.map((child) => [child.name, spark(child)]));
}

exports.parseXml = (xml) => spark(tree(xml));
