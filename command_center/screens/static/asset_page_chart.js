// One chart: of each kind of asset, money really held, against the whole claim.

import { figure } from "./asset_words.js";
import { say } from "./words.js";

const CHART = "asset-chart";
const COLOURS = { held: "#56f000", missing: "#22384f" };
/** Beside a longer bar there is no room for its words: they would run over the claim's line and out of the chart. */
const LONG_BAR = 0.45;

/** Hand the figure to Dash's graph, which loads Plotly from this very server. */
export function draw(summary) {
  const kinds = [...new Set(summary.standings.map((one) => one.kind))];
  const held = kinds.map((kind) => sum(summary.standings.filter((one) => one.kind === kind), "controlled_cents") / 100);
  const claim = summary.head.claim_cents / 100;
  const most = Math.max(claim, ...held, 1);
  const text = kinds.map((kind, place) => {
    const each = summary.standings.filter((one) => one.kind === kind);
    const count = sum(each, "assets");
    const controlled = sum(each.filter((one) => ["controlled", "partly", "pre_registered"].includes(one.standing)), "assets");
    return say("asset.chart.bar", { held: figure(Math.round(held[place] * 100)), controlled, count });
  });
  const figureOf = {
    data: [{
      type: "bar", orientation: "h", x: held, y: kinds.map((kind) => `${say(`asset.kind.${kind}`)} `), text, cliponaxis: false, marker: { color: COLOURS.held }, hovertemplate: "%{y}%{text}<extra></extra>",
      textposition: held.map((each) => (each > most * LONG_BAR ? "inside" : "outside")), insidetextanchor: "end", textangle: 0,
      outsidetextfont: { color: "#e3ecf6", size: 12 }, insidetextfont: { color: "#08131f", size: 12 },
    }],
    layout: layout(claim, most),
  };
  window.dash_clientside?.set_props?.(CHART, { figure: figureOf });
}

function layout(claim, most) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, bargap: 0.45,
    font: { color: "#a9bbcf", size: 12, family: "Noto Sans SC, Noto Sans CJK SC, sans-serif" },
    margin: { l: 4, r: 12, t: 16, b: 4 },
    xaxis: { range: [0, most * 1.02], gridcolor: "#22384f", zeroline: false, fixedrange: true, automargin: true, nticks: 3, tickangle: 0, tickformat: ",.0f" },
    yaxis: { automargin: true, fixedrange: true, autorange: "reversed" },
    shapes: claim === 0 ? [] : [{ type: "line", x0: claim, x1: claim, y0: 0, y1: 1, yref: "paper", line: { color: "#ffb302", width: 2, dash: "dot" } }],
    annotations: claim === 0 ? [] : [{ x: claim, y: 1, yref: "paper", xanchor: "right", yanchor: "bottom", showarrow: false, text: say("asset.chart.claim"), font: { color: "#ffb302", size: 12 } }],
    hoverlabel: { bgcolor: "#14263a", font: { color: "#e3ecf6" } },
  };
}

const sum = (each, name) => each.reduce((total, one) => total + one[name], 0);
