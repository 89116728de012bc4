// Brings to life what the layouts mark: an element with data-module="wall" is handed to mount() of wall.js.

const mounted = new WeakSet();

async function bring(element) {
  if (mounted.has(element)) return;
  mounted.add(element);
  const module = await import(`./${element.dataset.module}.js`);
  module.mount(element);
}

function scan(root) {
  if (root.dataset?.module) bring(root);
  for (const element of root.querySelectorAll?.("[data-module]") ?? []) bring(element);
}

new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1) scan(node);
}).observe(document.documentElement, { childList: true, subtree: true });
scan(document.body);
