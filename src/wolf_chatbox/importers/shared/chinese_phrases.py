"""What QQ, WeChat and the programs that export them write in the place of what was no text."""

from __future__ import annotations

import re

from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM

_MEDIA = (
    "图片|圖片|照片|表情|表情包|动画表情|動畫表情|原创表情|商城表情|语音|語音|视频|影片|短视频|文件|檔案|位置|名片|红包|紅包|转账|音乐|音乐分享"
    "|链接|小程序|卡片|卡片消息|视频号|聊天记录|合并转发|合并转发的聊天记录|闪照|戳一戳|群公告|Photo|Emoji|Audio|Video|File|Sticker"
    "|图片消息|语音消息|视频消息|文件消息|image消息|video消息|audio消息|file消息|face消息|无文本内容"
)
MARK = re.compile(rf"\[(?:{_MEDIA})(?:[:：|][^\[\]\n]{{0,300}})?\]")
"""A picture, a sticker and the like; the names of emoji, such as `[捂脸]`, are text."""
LINK = re.compile(r"\[(?:链接|分享|小程序|视频号|音乐|文件|位置|名片|转账|红包|聊天记录)(?:[:：|\]])")
"""How something begins that was shared, with its title and address behind."""
CALL = re.compile(
    r"\[?(?:语音|视频|语音通话|视频通话|通话)\]? ?"
    r"(?:通话时长|聊天时长|时长|已取消|对方已取消|对方已拒绝|已拒绝|对方无应答) ?[\d:]{0,8}"
)
RECALLED = re.compile(
    r"\"?.{0,100}\"? ?(?:撤回|收回)了?一[条則]消息.{0,40}|此消息已被?撤回|\[已?撤回.{0,20}\]|You recalled a message\.?"
)
NOTICE = re.compile(
    r".{0,200}(?:加入了?本群|加入了?群聊|退出了?本群|退出了?群聊|移出了?群聊|修改群名为.{0,100}|拍了拍.{0,100}|戳了戳.{0,100}"
    r"|成为新群主|被管理员.{0,60}|开启了全员禁言|以上是打招呼的(?:内容|消息)|现在可以开始聊天了|开始聊天了)[。.！!]?"
)
LONG = 400
"""Characters: a longer text was said by somebody."""


def kind_of(text: str) -> str:
    """MEDIA, SYSTEM or DELETED for a text that nobody said, or nothing."""
    if len(text) > LONG:
        return ""
    if RECALLED.fullmatch(text):
        return DELETED
    if text.startswith("[") and (LINK.match(text) or not without_marks(text)):
        return MEDIA
    return SYSTEM if CALL.fullmatch(text) or NOTICE.fullmatch(text) else ""


def without_marks(text: str) -> str:
    """The text without its pictures and stickers."""
    return MARK.sub("", text).strip() if "[" in text else text
