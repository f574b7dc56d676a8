"""Names of people and companies, as frequent as in China, so that as many people share a name.

Surnames follow the household register (公安部《全国姓名报告》): the hundred commonest by about
their share. Given names are drawn by sex, the common characters more often. Nobody real is meant.
"""

from random import Random

from loadtest.draw import below, pick, pick_early, spread

_SURNAME_SHARES = """
    王 710 李 701 张 665 刘 510 陈 446 杨 307 黄 223 赵 215 吴 202 周 190 徐 144 孙 138 马 131
    朱 128 胡 118 郭 115 何 114 林 113 高 108 罗 104 郑 94 梁 87 谢 78 宋 76 唐 74 许 72 韩 69
    邓 68 冯 67 曹 65 彭 63 曾 62 肖 61 田 57 董 56 潘 54 袁 53 蔡 52 蒋 51 余 50 于 49 杜 48
    叶 47 程 46 魏 45 苏 44 吕 43 丁 42 任 41 卢 40 姚 40 沈 39 钟 39 姜 38 崔 37 谭 37 陆 36
    范 36 汪 35 廖 35 石 34 金 34 韦 33 贾 33 夏 32 付 31 方 31 邹 30 熊 29 白 29 孟 28 秦 28
    邱 27 侯 27 江 26 尹 25 薛 25 闫 24 段 24 雷 23 龙 22 黎 22 史 21 陶 21 贺 20 毛 20 郝 19
    顾 19 龚 18 邵 18 万 17 覃 17 武 16 钱 16 戴 15 严 15 莫 14 孔 14 欧阳 8 上官 1 司徒 1
    诸葛 1
""".split()
_SURNAMES = spread(
    [
        (surname, int(share))
        for surname, share in zip(_SURNAME_SHARES[::2], _SURNAME_SHARES[1::2], strict=True)
    ]
)
_MALE = (
    "伟强军勇杰涛明超刚平辉鹏华飞波斌宇浩凯健俊帅志国建文海东林峰亮龙建新春生永成康"
    "庆荣富贵福德祥瑞泽昊轩博睿嘉晨阳旭洋翔磊鑫森立民利根水木火土金祖孝忠义信"
)
_FEMALE = (
    "芳娜敏静丽艳娟霞秀玲桂英红燕梅莉兰萍洁琴婷雪慧颖琳倩玉凤珍香月素云莲真环荣爱妹"
    "佳欣怡雨梓涵诗思梦瑶璐莹媛淑惠美华春菊丹彩巧娥媚银花清露晓晴"
)
_MINORITY_FIRST = (
    "买买提",
    "阿卜杜拉",
    "古丽娜",
    "艾尼瓦尔",
    "帕提古丽",
    "努尔兰",
    "热依汗",
    "吐尔逊",
)
_MINORITY_LAST = ("艾山", "吐尔迪", "卡德尔", "尼亚孜", "阿不力孜", "沙依提", "库尔班", "肉孜")
_MINORITY_SHARE = 0.005
_ONE_CHARACTER_SHARE = 0.18

_PLACES = tuple(
    """
    雷州市 湛江市 广州 深圳市 北京 上海 杭州 成都 重庆 武汉 南京 郑州 西安 长沙 济南 青岛 沈阳
    苏州 福建省 云南 广西 河北
    """.split()
)
_BRAND = (
    "华鑫宏达盛泰恒瑞信德嘉诚隆昌兴旺金源丰茂永安康博雅天宇中联合力创新世纪东方星海龙腾飞"
    "鸿运吉祥顺通顺益民众和美佳景明辉正大同济广汇远卓越凯利君豪万象"
)
_TRADES = tuple(
    """
    商贸 贸易 建筑工程 房地产开发 科技 实业 物流 建材 投资 装饰工程 餐饮管理 电子 机械制造 服饰
    农业开发 文化传播 化工 酒店管理 运输 水产养殖 食品 医疗器械 旅游 担保 劳务 汽车销售 矿业
    能源
    """.split()
)
_ENDINGS = spread(
    [("有限公司", 82), ("有限责任公司", 12), ("股份有限公司", 4), ("集团有限公司", 2)]
)


def given_name(rng: Random, *, is_female: bool) -> str:
    """Draw a given name of one or two characters."""
    characters = _FEMALE if is_female else _MALE
    if rng.random() < _ONE_CHARACTER_SHARE:
        return pick_early(rng, characters)
    return pick_early(rng, characters) + pick_early(rng, characters)


def personal_name(rng: Random, *, is_female: bool) -> str:
    """Draw a full name; a few are of two parts with a middle dot (·)."""
    if rng.random() < _MINORITY_SHARE:
        return f"{pick(rng, _MINORITY_FIRST)}·{pick(rng, _MINORITY_LAST)}"
    return pick(rng, _SURNAMES) + given_name(rng, is_female=is_female)


def company_name(rng: Random) -> str:
    """Draw a company's registered name: place, brand, trade, legal form."""
    brand = "".join(pick(rng, _BRAND) for _ in range(2 + below(rng, 2)))
    return f"{pick(rng, _PLACES)}{brand}{pick(rng, _TRADES)}{pick(rng, _ENDINGS)}"
