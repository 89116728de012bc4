// Which layer of a picture a tile wants: the smallest that looks whole at the size at which it is shown.

const LAYERS = ["low", "middle", "high"];
const WIDEST = { low: 360, middle: 800 }; // device pixels; layers are about 320, 640 and 1280 wide
const SLACK = 0.1; // a tile that is just about so wide doesn't go to and fro

/** `widthPx` in device pixels; `layer` is what was wanted before. The spotlight always wants the highest. */
export function aim(widthPx, isSpotlit, layer) {
  if (isSpotlit) return { layer: "high", spotlight: true };
  const rank = LAYERS.indexOf(layer);
  const fits = (name) => widthPx <= WIDEST[name] * (1 + (LAYERS.indexOf(name) >= rank ? SLACK : -SLACK));
  return { layer: LAYERS.find((name) => name === "high" || fits(name)), spotlight: false };
}
