// The pictures on the review's buttons.

const PATHS = {
  play: "M5 3.2v13.6L16.4 10z",
  pause: "M5 3.5h3.6v13H5zM11.4 3.5H15v13h-3.6z",
  frameBack: "M12.6 4v12L5.4 10zM14.6 4h1.8v12h-1.8z",
  frameOn: "M7.4 4v12l7.2-6zM3.6 4h1.8v12H3.6z",
  previous: "M16 4v12l-6-6zM9.6 4v12l-6-6z",
  next: "M4 4v12l6-6zM10.4 4v12l6-6z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("fill", "currentColor");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
