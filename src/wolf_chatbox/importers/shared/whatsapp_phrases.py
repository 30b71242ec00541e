"""What WhatsApp itself writes into an export, in many languages: media left out, deleted messages, calls.

The phrases are those of the app's resources (`export_media_omitted`, `revoked_msg_incoming`, `missed_voice_call`, …).
"""

from __future__ import annotations

import re

MARK = "\u200e"
"""Stands before a text that the app wrote itself."""
EDITED = re.compile(
    r"<[^<>\n]{0,40}(?:edit|édit|bearbeitet|modifi|bewerkt|düzenlen|измен|відредаг|redig|muokat|szerkeszt|uprav|edytow"
    r"|編集|編輯|编辑|수정|chỉnh sửa|تعديل|נערכ)[^<>\n]{0,40}>"
)
MEDIA_BODY = re.compile(
    # In angle brackets, in any language: the name of the medium, or that something was left out.
    r"<[^<>\n]{0,40}(?:m[eéè]d[iy]|mídia|меди|медіа|μέσ|מדיה|وسائط|رسانه|मीडिया|মিডিয়া|미디어|メディア|媒體|媒体|สื่อ"
    r"|phương tiện"
    r"|omitted|omitido|omis|omesso|weggelaten|oculto|poistettu|省略|略)[^<>\n]{0,40}>"
    # Without brackets: the medium, and a word for "left out".
    r"|\u200e?(?:image|photo|video|video note|audio|sticker|GIF|document|Contact card|Bild|Foto|Audio|Sticker|Video"
    r"|Videonachricht|Dokument|Kontaktkarte|imagen|vídeo|documento|tarjeta de contacto|vidéo|document|imagem|figurinha"
    r"|immagine|afbeelding|kuva|画像|動画|ビデオ|スタンプ|ステッカー|图片|圖片|视频)"
    r"[ ]?(?:omitted|weggelassen|ausgelassen|omitid[oa]|omise?|omess[oa]|ocult[oa]|weggelaten|jätetty pois"
    r"|は含まれていません|省略|を省略しました|已忽略|已省略)"
    r"|\u200e?(?:圖片|圖像|图片|照片|影片|视频|音訊|音频|貼圖|贴图|文件|文档|GIF ?(?:圖片|动态图)?"
    r"|聯絡人卡片|联系人卡片)已被?(?:略去|省略|忽略)"
    r"|\u200e?(?:이미지|비디오|동영상|오디오|스티커|GIF|문서|연락처 카드) (?:생략|제외)됨"
    r"|\u200e?(?:đã bỏ (?:video|sticker)|(?:đã )?bỏ qua (?:hình ảnh|tệp âm thanh|ảnh GIF|thẻ liên lạc|tài liệu))"
    r"|\u200e?<(?:attached|Anhang|adjunto|pièce jointe|anexado|allegato|bijgevoegd|添付ファイル|已?附[件加]"
    r"|첨부)\s?[:：][^<>]+>"
    r"|\u200e?(?:Missed (?:voice|video) call|Verpasster (?:Sprach|Video)anruf|Llamada perdida|Appel (?:vocal"
    r"|vidéo) manqué|(?:音声通話|ビデオ通話)?不在着信|未接(?:語音|语音|視像|视频)通[話话]"
    r"|부재중 (?:전화|영상통화)|Cuộc gọi nhỡ)"
    r"[^\n]{0,60}|(?:Voice|Video) call, (?:\d[^\n]{0,20}|No answer)"
    r"|null|Waiting for this message\. This may take a while\.?",
    re.IGNORECASE,
)
ATTACHED = re.compile(
    r"\u200e?[^\n]{1,200}\.\w{2,5} \((?:file attached|Datei angehängt|archivo adjunto|fichier joint|arquivo anexado"
    r"|file allegato|bestand bijgevoegd|tiedosto liitetty|ファイル添付|ファイルが添付されています"
    r"|文件附件|附件檔案|파일 첨부됨)\)"
)
ENCRYPTED = re.compile(
    r"end-to-end|Ende-zu-Ende|extremo a extremo|bout en bout|ponta a ponta|end-to-end-|päästä päähän|uçtan uca|сквозн"
    r"|エンドツーエンド|端到端|端對端|종단 ?간|암호화되어 안전"
    r"|mã h(?:óa|oá) đầu cuối"
)
DELETED_BODIES = frozenset(
    """\
This message was deleted
You deleted this message
Diese Nachricht wurde gelöscht
Du hast diese Nachricht gelöscht
Se eliminó este mensaje
Eliminaste este mensaje
Este mensaje fue eliminado
Ce message a été supprimé
Vous avez supprimé ce message
Esta mensagem foi apagada
Mensagem apagada
Você apagou esta mensagem
Questo messaggio è stato eliminato
Hai eliminato questo messaggio
Dit bericht is verwijderd
U hebt dit bericht verwijderd
Tämä viesti poistettiin
Poistit tämän viestin
Bu mesaj silindi
Данное сообщение удалено
このメッセージは削除されました
メッセージを削除しました
此訊息已刪除
你已刪除此訊息
您已刪除此訊息
此消息已删除
你删除了这条消息
您删除了这条消息
信息已删除
这条消息已删除
这条消息已被删除
您已删除这条消息
您删除这个信息
삭제된 메시지입니다
삭제한 메시지입니다
이 메시지는 삭제되었습니다
이 메시지를 삭제했습니다
Tin nhắn này đã bị xóa
Tin nhắn này đã bị xoá
Bạn đã xóa tin nhắn này
Bạn đã xoá tin nhắn này
Bu mesajı sildiniz
Вы удалили данное сообщение
Це повідомлення видалено
Ви видалили це повідомлення
Ta wiadomość została usunięta
Tato zpráva byla odstraněna
Üzenet törölve
Acest mesaj a fost șters
Detta meddelande har raderats
Meddelandet raderades
Denne besked blev slettet
Denne meldingen ble slettet
Pesan ini dihapus
Pesan ini telah dihapus
Anda menghapus pesan ini
Anda telah menghapus pesan ini
Αυτό το μήνυμα διαγράφηκε
הודעה זו נמחקה
מחקת הודעה זו
تم حذف هذه الرسالة
لقد حذفت هذه الرسالة
""".splitlines()
)
OMITTED = frozenset(
    """\
omitted
gelassen
omitido
omitida
omis
omise
omesso
omessa
oculto
weggelaten
pois
いません
省略
ました
略
已略去
已忽略
已省略
被省略
被忽略
생략됨
제외됨
hình ảnh
video
âm thanh
sticker
ảnh GIF
thẻ liên lạc
tài liệu
""".splitlines()
)
"""How a line ends that replaces a picture or the like, without brackets."""
HEADS = {"Miss", "Voic", "Vide", "Verp", "Llam", "Appe", "不在着信", "音声通話", "ビデオ通", "This", "Wait", "null"}
HEADS |= {"未接語音", "未接语音", "未接視像", "未接视频", "부재중 ", "Cuộc"}
TAILS = {form[-3:] for phrase in OMITTED | DELETED_BODIES for form in (phrase, phrase + ".", phrase + "。")}
"""How a text that nobody said begins and ends: a quick test that nearly all other messages fail."""
_STAMP = r"\[\d{4}-\d\d-\d\d,? \d\d:\d\d(?::\d\d)?\] "
_BODY = re.compile(rf"{_STAMP}(?:[^\n:]{{1,100}}: (.*)|[^\n:]{{1,400}}$)")
_SPACED_NUMBER = re.compile(rf"^{_STAMP}\+\d[\d()-]{{0,20}} [\d ()-]{{2,20}}: ", re.MULTILINE)
_MARKED = re.compile(rf"^(?:{MARK}{_STAMP}|{_STAMP}[^\n:]{{1,100}}: {MARK})", re.MULTILINE)
_SIGNALS_OWN = re.compile(r"\]\(\./media/|^\(- .{1,200} -\)\s*$", re.MULTILINE)
"""An attachment and reactions, as signal-export writes them."""


def is_whatsapps(head: str) -> bool:
    """Whether lines such as `[2019-04-16 02:09:00] Ann: hi`, which Signal's exporter writes as well, are WhatsApp's.

    Its marks, numbers with spaces, notices without a name, and phrases of its own tell; where nothing does, Signal's
    reader and WhatsApp's give the same.
    """
    if _SIGNALS_OWN.search(head):
        return False
    if _MARKED.search(head) or _SPACED_NUMBER.search(head):
        return True
    bodies = [match[1] for line in head.splitlines()[:1000] if (match := _BODY.match(line))]
    return any(
        body is None
        or body.strip(" .。") in DELETED_BODIES
        or (len(body) < 400 and (MEDIA_BODY.fullmatch(body) or ATTACHED.fullmatch(body)))
        for body in bodies
    )
