import type { Failure, Lang, Report, Status } from './types.js'

type Step =
  | 'BUSINESS_ACCOUNT_SELECTION'
  | 'WABA_PHONE_PROFILE_PICKER'
  | 'WHATSAPP_BUSINESS_PROFILE_SETUP'
  | 'PHONE_NUMBER_SETUP'
  | 'PHONE_NUMBER_VERIFICATION'
  | 'PERMISSIONS'

/** What Meta's error codes of the signup come down to for the customer. */
type MetaError =
  | 'otherBusiness'
  | 'notEligibleYet'
  | 'notInBusinessApp'
  | 'region'
  | 'otherPartner'
  | 'linkedToPage'
  | 'disconnectFirst'
  | 'alreadyRegistered'
  | 'oldApp'
  | 'notShareable'
  | 'limit'
  | 'tooManyTries'
  | 'twoFactor'
  | 'restricted'

type Key = Exclude<Status, 'failed'> | Exclude<Failure, 'UNKNOWN'> | 'unknown' | Step | MetaError | 'connect' | 'redirecting' | 'retrying' | 'cancelledAt'

const texts = {
  'pt-BR': {
    connect: 'Conectar WhatsApp',
    loading: 'Preparando a conexão…',
    ready: '',
    open: 'Continue na janela do Facebook.',
    redirecting: 'Abrindo o Facebook…',
    exchanging: 'Recebendo a autorização…',
    claiming: 'Conectando sua conta do WhatsApp…',
    choose: 'Você compartilhou mais de uma conta. Escolha qual conectar.',
    connected: 'WhatsApp conectado.',
    cancelled: 'Conexão não concluída. Você pode continuar quando quiser.',
    cancelledAt: 'Conexão não concluída: você parou em {step}. Você pode continuar quando quiser.',
    retrying: 'Sem resposta da internet ou do servidor. Tentando de novo…',

    BUSINESS_ACCOUNT_SELECTION: 'escolha da empresa',
    WABA_PHONE_PROFILE_PICKER: 'escolha da conta do WhatsApp',
    WHATSAPP_BUSINESS_PROFILE_SETUP: 'dados do perfil',
    PHONE_NUMBER_SETUP: 'escolha do número',
    PHONE_NUMBER_VERIFICATION: 'confirmação do número',
    PERMISSIONS: 'permissões',

    POPUP_BLOCKED: 'O navegador bloqueou a janela do Facebook. Permita pop-ups desta página e tente de novo.',
    SDK_UNAVAILABLE: 'O Facebook não carregou. Desative bloqueadores nesta página e tente de novo.',
    SESSION_UNAVAILABLE: 'Não foi possível preparar a conexão. Tentando de novo…',
    REDIRECT_UNAVAILABLE: 'Esta página ainda não está configurada para abrir o Facebook. Avise o suporte.',
    CODE_MISSING: 'O Facebook concluiu, mas não enviou a autorização. Tente de novo.',
    NETWORK: 'Sem resposta do servidor. Verifique sua internet e tente de novo.',
    OUT_OF_SIGHT: 'A conexão continua, mas esta página não consegue acompanhá-la. Atualize-a em um minuto.',
    META_SIGNUP_ERROR: 'O Facebook não concluiu o cadastro. Tente de novo mais tarde.',
    unknown: 'Não foi possível conectar. Tente de novo ou informe ao suporte o código',

    otherBusiness: 'Este número pertence a outra empresa no Facebook. Escolha a empresa dona do número.',
    notEligibleYet: 'Este número ainda não pode ser conectado. Use mais o app WhatsApp Business e tente em alguns dias.',
    notInBusinessApp: 'Este número não está no app WhatsApp Business. Confira o número ou registre-o no app.',
    region: 'O país deste número ainda não é aceito para uso junto com o app.',
    otherPartner: 'Este número já está conectado a outro sistema. Desconecte-o lá e tente de novo.',
    linkedToPage: 'Este número está vinculado a uma Página do Facebook. Desvincule-o e tente de novo.',
    disconnectFirst: 'Desconecte primeiro o número no app WhatsApp Business, espere 15 minutos e tente de novo.',
    alreadyRegistered: 'Este número já está registrado. Use outro número ou remova o registro atual.',
    oldApp: 'Atualize o app WhatsApp Business no celular e tente de novo.',
    notShareable: 'Esta conta do WhatsApp não pode ser compartilhada. Confira se você é administrador dela.',
    limit: 'O limite de números ou contas da sua empresa no Facebook foi atingido.',
    tooManyTries: 'Foram muitas tentativas. Espere um pouco e tente de novo.',
    twoFactor: 'Ative a autenticação de dois fatores no Facebook e tente de novo.',
    restricted: 'O Facebook restringiu esta conta do WhatsApp. Resolva isso no Gerenciador do WhatsApp.',
  },
  en: {
    connect: 'Connect WhatsApp',
    loading: 'Preparing the connection…',
    ready: '',
    open: 'Go on in the Facebook window.',
    redirecting: 'Opening Facebook…',
    exchanging: 'Receiving the authorization…',
    claiming: 'Connecting your WhatsApp account…',
    choose: 'You shared more than one account. Choose which one to connect.',
    connected: 'WhatsApp is connected.',
    cancelled: 'Not connected yet. You can go on whenever you like.',
    cancelledAt: 'Not connected yet: you stopped at the {step}. You can go on whenever you like.',
    retrying: 'No answer from the internet or the server. Trying again…',

    BUSINESS_ACCOUNT_SELECTION: 'choice of the business',
    WABA_PHONE_PROFILE_PICKER: 'choice of the WhatsApp account',
    WHATSAPP_BUSINESS_PROFILE_SETUP: 'profile details',
    PHONE_NUMBER_SETUP: 'choice of the number',
    PHONE_NUMBER_VERIFICATION: 'verification of the number',
    PERMISSIONS: 'permissions',

    POPUP_BLOCKED: 'The browser blocked the Facebook window. Allow pop-ups for this page and try again.',
    SDK_UNAVAILABLE: 'Facebook did not load. Turn off blockers for this page and try again.',
    SESSION_UNAVAILABLE: 'The connection could not be prepared. Trying again…',
    REDIRECT_UNAVAILABLE: 'This page is not set up to open Facebook yet. Please tell support.',
    CODE_MISSING: 'Facebook finished but sent no authorization. Try again.',
    NETWORK: 'No answer from the server. Check your internet and try again.',
    OUT_OF_SIGHT: 'The connection goes on, but this page can not follow it. Reload it in a minute.',
    META_SIGNUP_ERROR: 'Facebook did not finish the signup. Try again later.',
    unknown: 'The connection did not work. Try again, or tell support the code',

    otherBusiness: 'This number belongs to another business on Facebook. Choose the business that owns it.',
    notEligibleYet: 'This number can not be connected yet. Use the WhatsApp Business app more and try in a few days.',
    notInBusinessApp: 'This number is not in the WhatsApp Business app. Check the number or register it there.',
    region: 'The country of this number is not supported yet together with the app.',
    otherPartner: 'This number is connected to another system. Disconnect it there and try again.',
    linkedToPage: 'This number is linked to a Facebook Page. Unlink it and try again.',
    disconnectFirst: 'Disconnect the number in the WhatsApp Business app first, wait 15 minutes and try again.',
    alreadyRegistered: 'This number is registered already. Use another one or remove its registration.',
    oldApp: 'Update the WhatsApp Business app on the phone and try again.',
    notShareable: 'This WhatsApp account can not be shared. Check that you are an administrator of it.',
    limit: 'Your business has reached its limit of numbers or accounts on Facebook.',
    tooManyTries: 'There were too many tries. Wait a little and try again.',
    twoFactor: 'Turn on two-factor authentication on Facebook and try again.',
    restricted: 'Facebook restricted this WhatsApp account. Resolve it in WhatsApp Manager.',
  },
} satisfies Record<Lang, Record<Key, string>>

// Source: developers.facebook.com, WhatsApp > Embedded Signup > Errors.
const metaErrors: Record<MetaError, string> = {
  otherBusiness: '3441041',
  notEligibleYet: '3441045',
  notInBusinessApp: '2655095 2655048',
  region: '3441042',
  otherPartner: '2655093',
  linkedToPage: '2655082',
  disconnectFirst: '3441049 2655094',
  alreadyRegistered: '3441030',
  oldApp: '4563015',
  notShareable: '2655049 2494028 2593072',
  limit: '2388098 2494067 1690114',
  tooManyTries: '3441033 3441046 1675004',
  twoFactor: '2859009 4612001',
  restricted: '2655089 3441040 2388107',
}

/** The language that is asked for, or the page's, or the browser's. */
export function language(asked: string | undefined): Lang {
  const tag = asked || document.documentElement.lang || navigator.language
  return /^pt\b/i.test(tag) ? 'pt-BR' : 'en'
}

export function text(lang: Lang, key: Key): string {
  return texts[lang][key]
}

/** Says where the customer left, if Meta said so. */
export function cancelledText(lang: Lang, step: string | undefined): string {
  const where = (texts[lang] as Record<string, string>)[step ?? '']
  return where ? texts[lang].cancelledAt.replace('{step}', where) : texts[lang].cancelled
}

/** Says in the customer's language what Meta's error of the signup means. */
export function metaErrorText(lang: Lang, report: Report): string {
  const known = (Object.keys(metaErrors) as MetaError[]).find((name) => metaErrors[name].split(' ').includes(report.errorCode ?? ''))
  return text(lang, known ?? 'META_SIGNUP_ERROR')
}
