"""What tells languages of one script apart: their most frequent short words, and letters of their own. Pure data."""

from __future__ import annotations

# Frequent words in lower case. A word that several languages share counts for each of them, but for less.
LATIN = {
    "en": (
        "the of and to in is that it for was with as be by on not he are at this have from or had an but "
        "which you they his has were been their its will would can if who what when where how there we do "
        "does did your my than"
    ),
    "de": (
        "der die und das ist nicht ein eine zu den mit sich des auf für dem im von auch wird werden sind bei "
        "als an es er sie wie aus oder nach einer einen einem zur zum durch über wurde hat haben kann ich wir "
        "nur noch unter was wer"
    ),
    "fr": (
        "le la les de des et est une un du dans que pour qui sur pas au par plus avec ce sont il elle en se "
        "ne cette aux ou ses son sa comme mais nous vous leur être ont été peut fait où quel quelle comment "
        "sans entre cet ces tout"
    ),
    "es": (
        "el la los las de y que en un una del por con para es se no su al como más fue son lo pero sus le ha "
        "este esta entre cuando muy sin sobre también hasta hay donde desde todo está puede qué cuál cómo ser "
        "o unos estos"
    ),
    "it": (
        "il di che la e una un per non sono del con della è si le gli nel dei alla da come lo al delle più "
        "anche in dal nella ha questo questa ma degli su dalla essere stato o tra cui quando quale sua suo "
        "loro può i ed ai"
    ),
    "pt": (
        "o os de que e do da em um uma para com não por no na dos das se foi mais ao são como mas as à pelo "
        "pela ou seu sua ser quando muito nos já está também só até isso ela entre qual onde você este esta "
        "pode foram às"
    ),
    "ca": (
        "el la els les de i que en un una del per amb és es no al com més són o però aquest aquesta seva seu "
        "ser ha van va pel dels als també fins sobre entre quan on molt què hi ho li aquests"
    ),
    "ro": (
        "de și în a la cu pe care un o din că este pentru nu mai al să au sunt ca se fost sau după lui fi ce "
        "prin cel cea dar poate acest această între foarte unui unei ale ai lor am sa"
    ),
    "nl": (
        "de het een van en in is dat op te niet zijn voor met die aan er om ook als door maar bij uit naar "
        "wordt werd heeft dit deze tot over kan worden wat hij ze of nog wel hun geen zich waar wie hoe onder "
        "kunnen je"
    ),
    "sv": (
        "och att det som en är av för den på med inte ett till har de om han kan var från så vid men sig "
        "eller hade också ska när hur vad vilken denna detta efter under mot där i jag du hon blev skulle "
        "dessa utan"
    ),
    "da": (
        "og at det som en er af for den på med ikke et til har de om han kan var fra så ved men sig eller "
        "havde også skal når hvordan hvad denne dette efter under mod hvor i jeg blev være der du bliver "
        "disse uden mellem nogle meget kun ud mere give findes bruges hvis hvilken selv inden kræver mange"
    ),
    "no": (
        "og at det som en er av for den på med ikke et til har de om han kan var fra så ved men seg eller "
        "hadde også skal når hvordan hva denne dette etter under mot hvor i jeg ble være der du blir disse "
        "uten mellom noen mye bare ut mer gi finnes brukes hvis hvilken selv innen krever mange"
    ),
    "fi": (
        "ja on ei se että oli joka ovat myös tai kun kuin mutta ole sen hän jos niin olla mukaan voi tämä ne "
        "vain jotka sekä jossa jonka ollut ennen kanssa hänen mitä missä milloin voidaan tämän kaikki vuonna "
        "siitä jälkeen kuten jolla jotta eri joita sisältää käyttää avulla esimerkiksi sitä useita"
    ),
    "et": (
        "ja on ei see et oli kui ka mis oma ning aga kes või olid selle ole mida tema nii siis veel kuid seda "
        "kas poolt pärast aasta saab väga üks nende sest kuidas"
    ),
    "hu": (
        "a az és hogy nem is egy van meg volt ez csak de mint el még azt már ha vagy kell lehet minden aki "
        "amely után között szerint ki mi fel nagy őket által illetve ezt pedig lesz"
    ),
    "pl": (
        "i w na z do się nie to jest że o jak ale po dla przez od za są tak przy oraz być które który która "
        "lub jego co był było jej ten tego może tym już także można więc gdy czy a we ze pod jako kiedy jaki"
    ),
    "cs": (
        "a se na je že v s z do to i o k pro ve by jsou jako za ale od které který která po není nebo byl "
        "bylo při být tak již jeho podle jen až co jak jejich může pouze také ze před kde kdy lze či však "
        "tento bez u mezi umožňuje"
    ),
    "sk": (
        "a sa na je že v s z do to aj o k pre vo by sú ako za ale od ktoré ktorý ktorá po nie alebo bol bolo "
        "pri byť tak už jeho podľa len až čo jej môže iba tiež zo pred kde kedy však tento bez medzi"
    ),
    "hr": (
        "i u je na se da za su od s o a koji koja koje kao ili što iz bi ne nije sa te po do prema može biti "
        "samo ali već također godine nakon kako gdje između ima bila bio"
    ),
    "sl": (
        "in je v na se da za so ki z s od po pa ne kot ali tudi bi iz pri do kar ni še bil bila lahko med več "
        "njegov zelo kako kje kdaj ko če sta ter"
    ),
    "lt": (
        "ir yra į iš su kad tai kaip bet buvo per nuo už apie po ar jo jos dar taip pat tik kuris kuri šis ši "
        "prie gali būti jų ne o"
    ),
    "lv": (
        "un ir no ar uz par ka kas kā vai bet tika pie bija arī pēc līdz tas tā to nav šis var būt gan kur "
        "kad tiek viņš savu"
    ),
    "tr": (
        "ve bir bu da de için ile olarak olan çok daha gibi kadar en ne sonra ya o ama her ise var değil "
        "olduğu tarafından ancak veya hangi nasıl kim bunu diye şey iki nerede"
    ),
    "id": (
        "yang dan di dengan untuk dari pada ini itu dalam tidak adalah ke oleh akan sebagai juga atau karena "
        "telah bisa ada saya mereka dapat kami lebih dia apa siapa"
    ),
    "vi": (
        "và của là có được cho trong một không các với những người này đã để khi từ như về đến ở nhiều năm ra "
        "tại cũng sẽ nào gì vào theo trên"
    ),
    "eu": "eta da ez bat du zen dira izan ere hau baina edo dute egin bere ziren baino hori zuen duen dela",
    "ga": "agus an na ar is a i go bhí do le sé tá ag den nach ach seo sin faoi",
    "eo": "la kaj de en estas al ne por kiu estis kun ke el li per tiu pri sed aŭ ĝi kiel",
}
CYRILLIC = {
    "ru": (
        "и в не на что с он как это по но из у за от так же для бы был его или быть к о все были при было она "
        "также они года которые который если только может до можно со этого во чем кто где когда какой "
        "сколько является"
    ),
    "uk": (
        "і в не на що з він як це по але із у за від так для б був його або бути до та й про були при було "
        "вона також вони року які який якщо лише може можна цей є чи хто де коли яка під"
    ),
    "be": (
        "і ў не на што з ён як гэта па але за ад так для быў яго або быць да пра былі пры было яна таксама "
        "яны які"
    ),
    "bg": (
        "и в не на че с той като това по но от за до се е са да със към или които който която бил било тя "
        "също те при през след може как къде кога още а ще"
    ),
    "sr": (
        "и у не на да с он као то по али из за од се је су са или који која које био било она такође они при "
        "може бити након како где када што"
    ),
    "mk": (
        "и во не на дека со тој како тоа по но од за до се е да или кој која кои бил било таа исто тие при "
        "може што ги"
    ),
}
ARABIC = {
    "ar": (
        "في من على إلى أن التي الذي هذا هذه عن مع كان كانت ما لا هو هي أو كما بعد قبل بين ذلك حيث كل قد لم "
        "وقد هل متى أين"
    ),
    "fa": "در از به که این را با است برای آن یک خود تا بر های شد می بود شده یا اما هم نیز کرد چه چیست باید",
    "ur": "کے کی میں ہے اور سے کا کو اس نے پر یہ کہ ہیں ایک بھی تھا تھے گیا جو ہو کر",
}
DEVANAGARI = {
    "hi": "के में की है और से का को पर यह कि हैं एक भी था ने जो हो कर नहीं तो या गया",
    "ne": "र को मा छ हो का यो पनि ले लाई गर्न भएको छन् एक तथा भने थियो",
    "mr": "आहे आणि या च्या व हे मध्ये होते ते असे एक ही केली तर नाही आहेत",
}

# Letters that only some languages of the script have.
LETTERS = {
    "de": "ß",
    "fr": "œêù",
    "es": "ñ¿¡",
    "pt": "ãõ",
    "it": "ìò",
    "ro": "ășțşţ",
    "ca": "ŀ",
    "sv": "å",
    "da": "æø",
    "no": "æø",
    "pl": "łąęśźżń",
    "cs": "ěřů",
    "sk": "ľĺŕô",
    "hu": "őű",
    "tr": "ğıİ",
    "vi": "ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữự",
    "lt": "ėįų",
    "lv": "āģķļņ",
    "et": "õ",
    "eo": "ĉĝĥĵŝŭ",
    "hr": "đ",
    "ru": "ыэъё",
    "uk": "їєґі",
    "be": "ўі",
    "bg": "ъщ",
    "sr": "ђћљњџј",
    "mk": "ѓќѕј",
    "fa": "پچژگیک",
    "ur": "ٹڈڑںےہ",
    "ar": "ةىأإ",
}
