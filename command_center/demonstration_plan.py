"""What the demonstration is made of: two courts, their people, two operations. All of it is made up."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians

from command_center.accounts.permissions import Role

METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class DemonstrationCourt:
    """A court; the city's sees the district's."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class DemonstrationPerson:
    """An account."""

    username: str
    role: Role
    court: DemonstrationCourt
    display_name: str
    badge_number: str = ""


@dataclass(frozen=True, slots=True)
class DemonstrationSite:
    """A place, who is there, what its camera shows, and the way that it goes: metres east and north of the place."""

    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    latitude: float
    longitude: float
    officer: str
    clip: str
    codec: str
    way: tuple[tuple[int, int], ...]
    refuses: bool = False

    @property
    def track(self) -> list[tuple[float, float]]:
        """The way as WGS-84 latitudes and longitudes."""
        per_degree_east = METRES_PER_DEGREE * cos(radians(self.latitude))
        return [
            (round(self.latitude + north / METRES_PER_DEGREE, 6), round(self.longitude + east / per_degree_east, 6))
            for east, north in self.way
        ]


CITY = DemonstrationCourt(
    "内01", "呼和浩特市中级人民法院（演示）", "Hohhot Intermediate People's Court (demonstration)"
)
DISTRICT = DemonstrationCourt("内0105", "赛罕区人民法院（演示）", "Saihan District People's Court (demonstration)")

PEOPLE = (
    DemonstrationPerson("commander", Role.COMMANDER, CITY, "林致远"),
    DemonstrationPerson("judge", Role.JUDGE, CITY, "苏和"),
    DemonstrationPerson("approver", Role.APPROVER, CITY, "白云山"),
    DemonstrationPerson("supervisor", Role.SUPERVISOR, CITY, "韩明"),
    DemonstrationPerson("system", Role.SYSTEM_ADMINISTRATOR, CITY, "系统管理员"),
    DemonstrationPerson("security", Role.SECURITY_ADMINISTRATOR, CITY, "安全管理员"),
    DemonstrationPerson("audit", Role.AUDIT_ADMINISTRATOR, CITY, "审计管理员"),
    DemonstrationPerson("officer1", Role.OFFICER, CITY, "巴特尔", "演01001"),
    DemonstrationPerson("officer2", Role.OFFICER, CITY, "王磊", "演01002"),
    DemonstrationPerson("officer3", Role.OFFICER, CITY, "李静", "演01003"),
    DemonstrationPerson("officer4", Role.OFFICER, CITY, "乌兰", "演01004"),
    DemonstrationPerson("officer5", Role.OFFICER, CITY, "赵刚", "演01005"),
    DemonstrationPerson("officer6", Role.OFFICER, CITY, "陈新", "演01006"),
    DemonstrationPerson("saihan-commander", Role.COMMANDER, DISTRICT, "高志强"),
    DemonstrationPerson("saihan-judge", Role.JUDGE, DISTRICT, "其其格"),
    DemonstrationPerson("saihan-approver", Role.APPROVER, DISTRICT, "刘建国"),
    DemonstrationPerson("saihan-supervisor", Role.SUPERVISOR, DISTRICT, "孙慧"),
    DemonstrationPerson("saihan-system", Role.SYSTEM_ADMINISTRATOR, DISTRICT, "赛罕系统管理员"),
    DemonstrationPerson("saihan-security", Role.SECURITY_ADMINISTRATOR, DISTRICT, "赛罕安全管理员"),
    DemonstrationPerson("saihan-audit", Role.AUDIT_ADMINISTRATOR, DISTRICT, "赛罕审计管理员"),
    DemonstrationPerson("saihan-officer", Role.OFFICER, DISTRICT, "周扬", "演05001"),
)

FREE_OFFICER = "officer6"
"""Has a place in the city's operation but no site yet: for trying a phone."""

OPERATION_ZH = "春雷行动（演示）"
OPERATION_EN = "Spring Thunder (demonstration)"
DISTRICT_OPERATION_ZH = "利剑行动（演示）"
DISTRICT_OPERATION_EN = "Sharp Sword (demonstration)"

SITES = (
    DemonstrationSite(
        "某小区住宅院",
        "Residential courtyard",
        "新城区",
        "Xincheng",
        40.8562,
        111.6660,
        "officer1",
        "courtyard",
        "H264",
        (
            *((0, 0), (310, 20), (620, 35), (930, 60), (950, 330), (965, 610), (700, 640)),
            *((420, 625), (150, 640), (-140, 600), (-150, 330), (-160, 90), (0, 0)),
        ),
    ),
    DemonstrationSite(
        "某商贸公司办公楼",
        "Trading firm's offices",
        "回民区",
        "Huimin",
        40.8078,
        111.6170,
        "officer2",
        "office",
        "H264",
        (
            *((0, 0), (-40, 260), (-70, 520), (-90, 800), (180, 830), (450, 840), (470, 560)),
            *((480, 290), (700, 270), (710, 20), (470, -10), (230, 0), (0, 0)),
        ),
    ),
    DemonstrationSite(
        "某物流园仓库",
        "Logistics park warehouse",
        "玉泉区",
        "Yuquan",
        40.7524,
        111.6671,
        "officer3",
        "warehouse",
        "VP8",
        (
            *((0, 0), (280, -30), (560, -70), (540, -340), (520, -620), (250, -640), (-30, -600)),
            *((-310, -570), (-580, -540), (-560, -270), (-540, -10), (-270, 10), (0, 0)),
        ),
    ),
    DemonstrationSite(
        "某商场地下车库",
        "Shopping centre car park",
        "赛罕区",
        "Saihan",
        40.7930,
        111.7060,
        "officer4",
        "carpark",
        "H264",
        (
            *((0, 0), (260, 150), (520, 310), (790, 460), (930, 220), (1060, -20), (820, -170)),
            *((570, -320), (310, -470), (180, -240), (420, -90), (200, 40), (0, 0)),
        ),
        refuses=True,
    ),
    DemonstrationSite(
        "某沿街商铺",
        "Shopfront",
        "土默特左旗",
        "Tumed Left Banner",
        40.7281,
        111.1572,
        "officer5",
        "shopfront",
        "H264",
        (
            *((0, 0), (240, 90), (480, 180), (730, 270), (640, 520), (550, 760), (310, 680)),
            *((60, 590), (-190, 500), (-420, 410), (-330, 170), (-240, -70), (0, 0)),
        ),
    ),
)

DISTRICT_SITE = DemonstrationSite(
    "某村委会旧址",
    "Former village office",
    "赛罕区",
    "Saihan",
    40.7610,
    111.7900,
    "saihan-officer",
    "courtyard",
    "H264",
    ((0, 0), (200, 0)),
)
