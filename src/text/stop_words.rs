//! Words that are too common to tell one text from another.
//!
//! The lists are those of the [Snowball project](https://snowballstem.org), with folded letters.
//!
//! **Invariants**
//! - A list is in order and folded, each word once.
//! - Another list means another analysis: `ANALYSIS` in `pages.rs` goes up with it.

use super::Language;

/// The stop words of `language`, parted by spaces.
pub(super) const fn stop_words(language: Language) -> &'static str {
    match language {
        Language::None => "",
        Language::English => ENGLISH,
        Language::German => GERMAN,
        Language::French => FRENCH,
        Language::Spanish => SPANISH,
        Language::Portuguese => PORTUGUESE,
        Language::Russian => RUSSIAN,
    }
}

const ENGLISH: &str = "\
    a about above after again against all am an and any are aren't as at be because been before being \
    below between both but by can't cannot could couldn't did didn't do does doesn't doing don't down \
    during each few for from further had hadn't has hasn't have haven't having he he'd he'll he's her \
    here here's hers herself him himself his how how's i i'd i'll i'm i've if in into is isn't it it's \
    its itself let's me more most mustn't my myself no nor not of off on once only or other ought our \
    ours ourselves out over own same shan't she she'd she'll she's should shouldn't so some such than \
    that that's the their theirs them themselves then there there's these they they'd they'll they're \
    they've this those through to too under until up very was wasn't we we'd we'll we're we've were \
    weren't what what's when when's where where's which while who who's whom why why's with won't would \
    wouldn't you you'd you'll you're you've your yours yourself yourselves";

const GERMAN: &str = "\
    aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes anderm \
    andern anderr anders auch auf aus bei bin bis bist da damit dann das dass dasselbe dazu dein deine \
    deinem deinen deiner deines dem demselben den denn denselben der derer derselbe derselben des \
    desselben dessen dich die dies diese dieselbe dieselben diesem diesen dieser dieses dir doch dort du \
    durch ein eine einem einen einer eines einig einige einigem einigen einiger einiges einmal er es \
    etwas euch euer eure eurem euren eurer eures fur gegen gewesen hab habe haben hat hatte hatten hier \
    hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in indem ins ist jede jedem jeden \
    jeder jedes jene jenem jenen jener jenes jetzt kann kein keine keinem keinen keiner keines konnen \
    konnte machen man manche manchem manchen mancher manches mein meine meinem meinen meiner meines mich \
    mir mit muss musste nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner \
    seines selbst sich sie sind so solche solchem solchen solcher solches soll sollte sondern sonst uber \
    um und uns unser unsere unserem unseren unseres unter viel vom von vor wahrend war waren warst was \
    weg weil weiter welche welchem welchen welcher welches wenn werde werden wie wieder will wir wird \
    wirst wo wollen wollte wurde wurden zu zum zur zwar zwischen";

const FRENCH: &str = "\
    a ai aie aient aies ait as au aura aurai auraient aurais aurait auras aurez auriez aurions aurons \
    auront aux avaient avais avait avec avez aviez avions avons ayant ayante ayantes ayants ayez ayons c \
    ce ces d dans de des du elle en es est et etaient etais etait etant etante etantes etants ete etee \
    etees etes etiez etions eu eue eues eumes eurent eus eusse eussent eusses eussiez eussions eut eutes \
    eux fumes furent fus fusse fussent fusses fussiez fussions fut futes il ils j je l la le les leur \
    lui m ma mais me meme mes moi mon n ne nos notre nous on ont ou par pas pour qu que qui s sa se sera \
    serai seraient serais serait seras serez seriez serions serons seront ses soient sois soit sommes \
    son sont soyez soyons suis sur t ta te tes toi ton tu un une vos votre vous y";

const SPANISH: &str = "\
    a al algo algunas algunos ante antes como con contra cual cuando de del desde donde durante e el \
    ella ellas ellos en entre era erais eramos eran eras eres es esa esas ese eso esos esta estaba \
    estabais estabamos estaban estabas estad estada estadas estado estados estais estamos estan estando \
    estar estara estaran estaras estare estareis estaremos estaria estariais estariamos estarian \
    estarias estas este esteis estemos esten estes esto estos estoy estuve estuviera estuvierais \
    estuvieramos estuvieran estuvieras estuvieron estuviese estuvieseis estuviesemos estuviesen \
    estuvieses estuvimos estuviste estuvisteis estuvo fue fuera fuerais fueramos fueran fueras fueron \
    fuese fueseis fuesemos fuesen fueses fui fuimos fuiste fuisteis ha habeis habia habiais habiamos \
    habian habias habida habidas habido habidos habiendo habra habran habras habre habreis habremos \
    habria habriais habriamos habrian habrias han has hasta hay haya hayais hayamos hayan hayas he hemos \
    hube hubiera hubierais hubieramos hubieran hubieras hubieron hubiese hubieseis hubiesemos hubiesen \
    hubieses hubimos hubiste hubisteis hubo la las le les lo los mas me mi mia mias mio mios mis mucho \
    muchos muy nada ni no nos nosotras nosotros nuestra nuestras nuestro nuestros o os otra otras otro \
    otros para pero poco por porque que quien quienes se sea seais seamos sean seas sentid sentida \
    sentidas sentido sentidos sera seran seras sere sereis seremos seria seriais seriamos serian serias \
    si siente sin sintiendo sobre sois somos son soy su sus suya suyas suyo suyos tambien tanto te \
    tendra tendran tendras tendre tendreis tendremos tendria tendriais tendriamos tendrian tendrias \
    tened teneis tenemos tenga tengais tengamos tengan tengas tengo tenia teniais teniamos tenian tenias \
    tenida tenidas tenido tenidos teniendo ti tiene tienen tienes todo todos tu tus tuve tuviera \
    tuvierais tuvieramos tuvieran tuvieras tuvieron tuviese tuvieseis tuviesemos tuviesen tuvieses \
    tuvimos tuviste tuvisteis tuvo tuya tuyas tuyo tuyos un una uno unos vosotras vosotros vuestra \
    vuestras vuestro vuestros y ya yo";

const PORTUGUESE: &str = "\
    a ao aos aquela aquelas aquele aqueles aquilo as ate com como da das de dela delas dele deles depois \
    do dos e ela elas ele eles em entre era eram eramos essa essas esse esses esta estamos estao estar \
    estas estava estavam estavamos este esteja estejam estejamos estes esteve estive estivemos estiver \
    estivera estiveram estiveramos estiverem estivermos estivesse estivessem estivessemos estou eu foi \
    fomos for fora foram foramos forem formos fosse fossem fossemos fui ha haja hajam hajamos hao \
    havemos haver hei houve houvemos houver houvera houveram houveramos houverao houverei houverem \
    houveremos houveria houveriam houveriamos houvermos houvesse houvessem houvessemos isso isto ja lhe \
    lhes mais mas me mesmo meu meus minha minhas muito na nao nas nem no nos nossa nossas nosso nossos \
    num numa o os ou para pela pelas pelo pelos por qual quando que quem sao se seja sejam sejamos sem \
    ser sera serao serei seremos seria seriam seriamos seu seus so somos sou sua suas tambem te tem \
    temos tenha tenham tenhamos tenho tera terao terei teremos teria teriam teriamos teu teus teve tinha \
    tinham tinhamos tive tivemos tiver tivera tiveram tiveramos tiverem tivermos tivesse tivessem \
    tivessemos tu tua tuas um uma voce voces vos";

const RUSSIAN: &str = "\
    а без более больше будет будто бы был была были было быть в вам вас вдруг ведь во вот впрочем все \
    всегда всего всех всю вы где да даже два для до другой его ее ей ему если есть еще ж же за зачем \
    здесь и из или им иногда их к как какая какой когда конечно кто куда ли лучше между меня мне много \
    может можно мой моя мы на над надо наконец нас не него нее ней нельзя нет ни нибудь никогда ним них \
    ничего но ну о об один он она они опять от перед по под после потом потому почти при про раз разве с \
    сам свою себе себя сейчас со совсем так такой там тебя тем теперь то тогда того тоже только том тот \
    три тут ты у уж уже хорошо хоть чего чем через что чтоб чтобы чуть эти этого этой этом этот эту я";

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn lists_are_in_order_and_folded() {
        for language in Language::ALL {
            let words: Vec<&str> = stop_words(*language).split_ascii_whitespace().collect();
            assert_eq!(words.is_empty(), *language == Language::None);
            assert!(words.is_sorted_by(|a, b| a < b), "{language}");
            for word in words {
                let mut folded = String::new();
                fold(word, &mut folded);
                assert_eq!(folded, word, "{language}");
            }
        }
    }
}
