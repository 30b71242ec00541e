"""What WhatsApp itself writes into an export, in many languages: media left out, deleted messages, calls."""

from __future__ import annotations

import re

MARK = "\u200e"
"""Stands before a text that the app wrote itself."""
EDITED = re.compile(
    r"<[^<>\n]{0,40}(?:edit|édit|bearbeitet|modifi|bewerkt|düzenlen|измен|відредаг|redig|muokat|szerkeszt|uprav|edytow"
    r"|編集|編輯|编辑|수정|تعديل|נערכ)[^<>\n]{0,40}>"
)
MEDIA_BODY = re.compile(
    # In angle brackets, in any language: the name of the medium, or that something was left out.
    r"<[^<>\n]{0,40}(?:m[eéè]d[iy]|mídia|меди|медіа|μέσ|מדיה|وسائط|رسانه|मीडिया|মিডিয়া|미디어|メディア|媒體|媒体|สื่อ"
    r"|omitted|omitido|omis|omesso|weggelaten|oculto|poistettu|省略|略)[^<>\n]{0,40}>"
    # Without brackets: the medium, and a word for "left out".
    r"|\u200e?(?:image|photo|video|video note|audio|sticker|GIF|document|Contact card|Bild|Foto|Audio|Sticker|Video"
    r"|Videonachricht|Dokument|Kontaktkarte|imagen|vídeo|documento|tarjeta de contacto|vidéo|document|imagem|figurinha"
    r"|immagine|afbeelding|kuva|画像|動画|ビデオ|スタンプ|ステッカー|图片|圖片|视频)"
    r"[ ]?(?:omitted|weggelassen|ausgelassen|omitid[oa]|omise?|omess[oa]|ocult[oa]|weggelaten|jätetty pois"
    r"|は含まれていません|省略|を省略しました|已忽略|已省略)"
    r"|\u200e?<(?:attached|Anhang|adjunto|pièce jointe|anexado|allegato|bijgevoegd|添付ファイル|附件)\s?:[^<>]+>"
    r"|\u200e?(?:Missed (?:voice|video) call|Verpasster (?:Sprach|Video)anruf|Llamada perdida|Appel (?:vocal"
    r"|vidéo) manqué|不在着信)[^\n]{0,60}|(?:Voice|Video) call, (?:\d[^\n]{0,20}|No answer)"
    r"|null|Waiting for this message\. This may take a while\.?",
    re.IGNORECASE,
)
ATTACHED = re.compile(
    r"\u200e?[^\n]{1,200}\.\w{2,5} \((?:file attached|Datei angehängt|archivo adjunto|fichier joint|arquivo anexado"
    r"|file allegato|bestand bijgevoegd|tiedosto liitetty|ファイル添付|ファイルが添付されています|文件附件)\)"
)
ENCRYPTED = re.compile(
    r"end-to-end|Ende-zu-Ende|extremo a extremo|bout en bout|ponta a ponta|end-to-end-|päästä päähän|uçtan uca|сквозн"
    r"|エンドツーエンド|端到端|端對端|종단간"
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
삭제된 메시지입니다
이 메시지는 삭제되었습니다
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
""".splitlines()
)
"""How a line ends that replaces a picture or the like, without brackets."""
HEADS = {"Miss", "Voic", "Vide", "Verp", "Llam", "Appe", "不在着信", "This", "Wait", "null"}
TAILS = {form[-3:] for phrase in OMITTED | DELETED_BODIES for form in (phrase, phrase + ".", phrase + "。")}
"""How a text that nobody said begins and ends: a quick test that nearly all other messages fail."""
