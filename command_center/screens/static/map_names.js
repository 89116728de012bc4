// Names on the map give way: officers stand over sites, sites over districts, and none is written across another.

const GAP_PX = 2;
const AWAY_PX = 28; // from an officer's middle to the name beside it
const SIDES = {
  right: (x, y, { width, height }) => box(x + AWAY_PX, y - height / 2, width, height),
  left: (x, y, { width, height }) => box(x - AWAY_PX - width, y - height / 2, width, height),
  above: (x, y, { width, height }) => box(x - width / 2, y - AWAY_PX - height, width, height),
  below: (x, y, { width, height }) => box(x - width / 2, y + AWAY_PX / 2, width, height),
};

/** Hide each name of a site or district that would stand on an officer or on another name. */
export function giveWay(container) {
  const taken = placeOfficers(container);
  for (const name of container.querySelectorAll(".map-site span, .map-district span")) {
    const box = name.getBoundingClientRect();
    const isCovered = taken.some((other) => meet(box, other));
    name.classList.toggle("is-covered", isCovered);
    if (!isCovered && box.width) taken.push(box);
  }
}

/** Put each officer's name where it covers no other officer, as long as it can where it is; gives all that they take. */
function placeOfficers(container) {
  const officers = [...container.querySelectorAll(".officer")].map((officer) => {
    const label = officer.querySelector(".officer-label");
    return { label, size: label.getBoundingClientRect(), number: officer.querySelector(".officer-number").getBoundingClientRect() };
  });
  const taken = officers.map(({ number }) => number);
  for (const { label, size, number } of officers) {
    const at = (side) => SIDES[side]((number.left + number.right) / 2, (number.top + number.bottom) / 2, size);
    const isFree = (side) => !taken.some((other) => other !== number && meet(at(side), other));
    const side = [label.dataset.side ?? "right", ...Object.keys(SIDES)].find(isFree) ?? "right";
    label.dataset.side = side;
    taken.push(at(side));
  }
  return taken;
}

const box = (left, top, width, height) => ({ left, top, right: left + width, bottom: top + height });

function meet(one, other) {
  return (
    one.left < other.right + GAP_PX && other.left < one.right + GAP_PX && one.top < other.bottom + GAP_PX && other.top < one.bottom + GAP_PX
  );
}
