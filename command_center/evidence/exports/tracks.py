"""Where the devices were, in the two formats that map programs read: GPX 1.1 and GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from command_center.evidence.exports.plan import CameraPart, Plan

BREAK_MS = 60_000
"""After so long without a position a new piece of the track begins."""


def gpx(plan: Plan) -> str:
    """The tracks as GPX."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<gpx version="1.1" creator="Enforcement Command Center" xmlns="http://www.topografix.com/GPX/1/1">',
        f"<metadata><name>{escape(plan.name)} {escape(plan.case_number)}</name></metadata>",
    ]
    for camera in _tracked(plan):
        lines.append(f"<trk><name>{escape(_title(camera))}</name><src>{escape(camera.feed)}</src>")
        for piece in _pieces(camera):
            lines.append("<trkseg>")
            lines += [
                f'<trkpt lat="{latitude:.7f}" lon="{longitude:.7f}"><time>{_instant(at)}</time></trkpt>'
                for at, latitude, longitude in piece
            ]
            lines.append("</trkseg>")
        lines.append("</trk>")
    lines.append("</gpx>")
    return "\n".join(lines) + "\n"


def geojson(plan: Plan) -> str:
    """The tracks as GeoJSON: a line (or a point) for each unbroken piece, with its instants."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "name": _title(camera),
                "feed": camera.feed,
                "coordTimes": [_instant(at) for at, _, _ in piece],
            },
            "geometry": _geometry([[round(longitude, 7), round(latitude, 7)] for _, latitude, longitude in piece]),
        }
        for camera in _tracked(plan)
        for piece in _pieces(camera)
    ]
    whole = {"type": "FeatureCollection", "features": features}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")) + "\n"


def _tracked(plan: Plan) -> Iterator[CameraPart]:
    return (camera for camera in plan.cameras if camera.track)


def _title(camera: CameraPart) -> str:
    return f"{camera.site} {camera.officer}".strip()


def _pieces(camera: CameraPart) -> Iterator[list[tuple[int, float, float]]]:
    piece: list[tuple[int, float, float]] = []
    for fix in camera.track:
        if piece and fix.at - piece[-1][0] > BREAK_MS:
            yield piece
            piece = []
        piece.append((fix.at, fix.latitude, fix.longitude))
    if piece:
        yield piece


def _geometry(places: list[list[float]]) -> dict[str, object]:
    if len(places) == 1:
        return {"type": "Point", "coordinates": places[0]}
    return {"type": "LineString", "coordinates": places}


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
