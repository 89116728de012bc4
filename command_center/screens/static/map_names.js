// Names on the map give way: officers stand over sites, sites over districts, and none is written across another.

const GAP_PX = 2;

/** Hide each name of a site or district that would stand on an officer or on another name. */
export function giveWay(container) {
  const taken = boxes(container.querySelectorAll(".officer-number, .officer-label"));
  for (const name of container.querySelectorAll(".map-site span, .map-district span")) {
    const box = name.getBoundingClientRect();
    const isCovered = taken.some((other) => meet(box, other));
    name.classList.toggle("is-covered", isCovered);
    if (!isCovered && box.width) taken.push(box);
  }
}

const boxes = (elements) => [...elements].map((element) => element.getBoundingClientRect());

function meet(one, other) {
  return (
    one.left < other.right + GAP_PX && other.left < one.right + GAP_PX && one.top < other.bottom + GAP_PX && other.top < one.bottom + GAP_PX
  );
}
