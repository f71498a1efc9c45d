import type { Evidence, LinkName, Mend, Level } from '../chain'
import type {
  ChangeState, ConnectionState, DestinationState, Direction, Event, Kind, MessageState, OnboardingState, Registration, StepState, SyncPartState,
} from '../api/generated'
import type { LocalReason } from '../api/problem'
import type { Stage } from '../connect/link'
import type { Way } from '../connect/run'
import type { Format } from '../format'
import { isRefusal, type ActivityGroup, type ActivityName, type StepName } from './known'

type Named<T extends string> = Record<Exclude<T, `${string}UNSPECIFIED`>, string>

const s = (count: number, one: string, many: string) => `${count.toLocaleString('pt-BR')} ${count === 1 ? one : many}`

export const pt = {
  product: 'Whatrack Connect',
  language: 'Português',
  nav: { overview: 'Visão geral', connections: 'Conexões', attempts: 'Tentativas', events: 'Eventos' },
  shell: {
    skip: 'Ir para o conteúdo', menu: 'Menu', main: 'Principal', signOut: 'Sair', appearance: 'Aparência',
    light: 'Claro', dark: 'Escuro', system: 'Do sistema', language: 'Idioma', keys: 'Atalhos de teclado',
    organization: 'Organização', allOrganizations: 'Todas as organizações', organizationHelp: 'O id da organização como o seu sistema o conhece. Vazio: todas as que o seu acesso permite.', organizationOne: 'O id da organização como o seu sistema o conhece.',
    organizationRule: 'Até 64 letras, números, pontos, hífens ou sublinhados.', show: 'Mostrar', notFound: 'Esta página não existe.', toOverview: 'Ir para a visão geral',
  },
  keys: {
    title: 'Atalhos de teclado', search: 'Buscar', list: 'Mostrar esta lista', go: 'Ir para', close: 'Fechar',
    enabled: 'Usar atalhos de uma tecla', enabledHelp: 'Desligue se usa comandos de voz ou leitor de tela.',
  },
  signIn: {
    again: 'Entre de novo para continuar', title: 'Entrar', lead: 'Acompanhe e cuide das contas do WhatsApp dos seus clientes.',
    label: 'Chave de acesso', help: 'É o token de um chamador da lista CALLERS_FILE. No ambiente de demonstração ele é impresso ao iniciar e fica em data/operator-token.',
    button: 'Entrar', required: 'Cole a chave de acesso.', shape: 'A chave não tem espaços nem acentos. Confira se copiou tudo.',
    refused: 'A chave não foi aceita ou deixou de valer. Cole uma chave válida para continuar de onde parou.',
    memory: 'A chave fica só na memória desta aba e some ao recarregar.',
  },
  common: {
    cancel: 'Cancelar', close: 'Fechar', back: 'Voltar', retry: 'Tentar de novo', copy: 'Copiar', copied: 'Copiado', more: 'Mostrar mais', loading: 'Carregando…',
    never: 'nunca', none: 'nenhum', unknown: 'desconhecido', all: 'Todas', search: 'Buscar', clear: 'Limpar filtros', details: 'Detalhes',
    why: 'Motivo', now: 'agora', of: (a: number, b: number) => `${a} de ${b}`, partial: (count: number, all: boolean) => `Mostrando os primeiros ${count.toLocaleString('pt-BR')}. ${all ? 'Escolha uma organização para ver o resto.' : 'O resto está na API.'}`,
    stale: (age: string) => `Não foi possível atualizar. O que você vê é de ${age}.`, updated: (age: string) => `Atualizado ${age}`, openInNew: 'abre em outra aba',
  },
  problem: {
    code: 'Código', request: 'pedido', meta: 'A Meta disse', copyCode: 'Copiar código', form: 'não tem o formato esperado', title: 'Não foi possível concluir',
    local: {
      NO_ANSWER: 'O servidor não respondeu. Verifique a conexão e tente de novo.',
      NOT_OURS: 'A resposta não veio deste serviço. Tente de novo; se continuar, avise quem cuida do sistema.',
    } satisfies Record<LocalReason, string>,
    organization: 'Seu acesso alcança várias organizações. Diga em qual quer trabalhar.',
  },
  state: {
    CLAIMING: 'Conectando', CONNECTED: 'Conectado', ATTENTION: 'Atenção', RECONNECT_REQUIRED: 'Reconexão necessária', DISCONNECTED: 'Desconectado',
  } satisfies Named<ConnectionState>,
  tabs: {
    CLAIMING: 'Conectando', CONNECTED: 'Conectadas', ATTENTION: 'Atenção', RECONNECT_REQUIRED: 'Reconexão necessária', DISCONNECTED: 'Desconectadas',
  } satisfies Named<ConnectionState>,
  onboarding: {
    STARTED: 'Iniciada', EXCHANGING: 'Recebendo o acesso', CHOOSING_WABA: 'Escolhendo a conta', CLAIMING: 'Conectando', CONNECTED: 'Concluída',
    FAILED: 'Não concluída', CANCELLED: 'Cancelada', EXPIRED: 'Expirada',
  } satisfies Named<OnboardingState>,
  step: {
    exchange: 'Receber o acesso', find: 'Encontrar a conta', hold: 'Reservar a conta', read: 'Ler os números', subscribe: 'Assinar os webhooks',
    prove: 'Confirmar os webhooks com a Meta', bind: 'Guardar o acesso',
  } satisfies Record<StepName, string>,
  stepState: {
    PENDING: 'a fazer', RUNNING: 'em andamento', DONE: 'feito', WAITING: 'será tentado de novo', FAILED: 'falhou', UNKNOWN: 'sem resposta', SKIPPED: 'dispensado',
  } satisfies Named<StepState>,
  signup: {
    OPENED: 'Abriu a janela da Meta', FINISHED: 'Terminou na Meta', CANCELLED: 'Fechou a janela da Meta', FAILED: 'A Meta mostrou um erro', BLOCKED: 'O navegador bloqueou a janela',
  } satisfies Named<Event>,
  registration: {
    NOT_NEEDED: 'Não precisa', PENDING: 'Registrando', REGISTERED: 'Registrado', WAITING_FOR_META: 'Nome em análise na Meta', PIN_REQUIRED: 'PIN necessário', FAILED: 'Falhou',
  } satisfies Named<Registration>,
  sync: {
    PENDING: 'a pedir', REQUESTED: 'pedida à Meta', RUNNING: 'chegando', DONE: 'completa', DECLINED: 'não compartilhada', FAILED: 'falhou', UNKNOWN: 'pedida, sem resposta',
  } satisfies Named<SyncPartState>,
  message: {
    RECEIVED: 'Recebida', SENDING: 'Enviando', ACCEPTED: 'Aceita pela Meta', SENT: 'Enviada', DELIVERED: 'Entregue', READ: 'Lida', FAILED: 'Falhou',
    UNKNOWN: 'Não se sabe se saiu',
  } satisfies Named<MessageState>,
  direction: { INBOUND: 'Do cliente', OUTBOUND: 'Pelo sistema', ECHO: 'Pelo aplicativo' } satisfies Named<Direction>,
  change: {
    RESOLVED: 'Entregue à conexão', WAITING: 'Aguardando conexão', UNPARSED: 'Não compreendido', IGNORED: 'Não é nosso',
  } satisfies Named<ChangeState>,
  destinationState: { ACTIVE: 'Ativo', HELD: 'Retido', DISABLED: 'Desligado' } satisfies Named<DestinationState>,
  kind: { EVENTS: 'Eventos assinados (Standard Webhooks)', META_RAW: 'Formato original da Meta' } satisfies Named<Kind>,
  tokenState: {
    UNVERIFIED: 'A Meta ainda não confirmou o acesso', ACTIVE: 'Ativo', EXPIRED: 'O acesso venceu', INVALID: 'A Meta diz que o acesso não vale mais', SUPERSEDED: 'O acesso foi trocado por outro', REVOKED: 'O acesso foi retirado por nós',
  } as Record<string, string>,
  numberStatus: {
    CONNECTED: 'Conectado', PENDING: 'Pendente', OFFLINE: 'Fora do ar', FLAGGED: 'Sinalizado', RESTRICTED: 'Restrito', BANNED: 'Banido', DISCONNECTED: 'Desconectado', UNVERIFIED: 'Não verificado', RATE_LIMITED: 'Limitado', MIGRATED: 'Migrado', DELETED: 'Apagado',
  } as Record<string, string>,
  canSend: { AVAILABLE: 'livre', LIMITED: 'limitado pela Meta', BLOCKED: 'bloqueado pela Meta' } as Record<string, string>,
  quality: { GREEN: 'alta', YELLOW: 'média', RED: 'baixa', UNKNOWN: 'ainda sem avaliação' } as Record<string, string>,
  nameStatus: {
    APPROVED: 'aprovado', AVAILABLE_WITHOUT_REVIEW: 'em uso, dispensado de análise', PENDING_REVIEW: 'em análise', DECLINED: 'recusado', EXPIRED: 'vencido', NONE: 'sem análise', NON_EXISTS: 'não definido',
  } as Record<string, string>,
  level: { ok: 'Em ordem', warn: 'Atenção', broken: 'Interrompido', idle: 'Sem dados' } satisfies Record<Level, string>,
  link: {
    access: 'Acesso', permissions: 'Permissões', account: 'Conta compartilhada', subscription: 'Assinatura de webhooks', number: 'Número na Meta', event: 'Último evento da Meta', delivery: 'Entrega ao seu sistema',
  } satisfies Record<LinkName, string>,
  mend: {
    check: 'Verificar agora', subscribe: 'Refazer assinatura', register: 'Registrar número', reconnect: 'Conectar novamente', destinations: 'Ver destinos',
  } satisfies Record<Mend, string>,
  evidence: (e: Evidence, f: Format, now: number): string => {
    switch (e.code) {
      case 'reason': return e.message || reasonless(e.reason)
      case 'tokenActive': return e.until ? `Ativo até ${f.date(e.until)}` : 'Ativo, sem vencimento'
      case 'tokenEnding': return `O acesso vence ${f.ago(e.until, now)}, em ${f.date(e.until)}: o cliente precisa reconectar até lá`
      case 'tokenState': return pt.tokenState[e.state] ?? e.state
      case 'ownBusiness': return 'Acesso da sua própria empresa'
      case 'noToken': return 'Não há acesso guardado'
      case 'granted': return 'A Meta aceita ler e assinar esta conta'
      case 'unknown': return 'Ainda não verificado'
      case 'noAccess': return 'Sem acesso não dá para verificar'
      case 'shared': return 'A conta responde ao acesso do cliente'
      case 'notProven': return 'A Meta não confirma que nos avisa desta conta'
      case 'proven': return `Confirmada pela Meta ${f.ago(e.time, now)}`
      case 'numberFine': return e.count > 1 ? `${e.count} números em ordem` : `${e.number} em ordem${e.quality === 'GREEN' ? ', qualidade alta' : ''}`
      case 'numberQuality': return `Qualidade ${pt.quality[e.quality] ?? e.quality} em ${e.number}`
      case 'numberStatus': return `A Meta diz que ${e.number} está: ${(pt.numberStatus[e.status] ?? e.status).toLowerCase()}`
      case 'event': return `Recebido ${f.ago(e.time, now)}`
      case 'noEvent': return 'Nenhum ainda. Uma mensagem ao número mostra se chega'
      case 'quiet': return `O último foi ${f.ago(e.time, now)}; outras contas receberam ${f.ago(e.others, now)}`
      case 'delivered': return 'O seu sistema recebeu tudo'
      case 'noDelivery': return 'Nada foi entregue ainda'
      case 'noMessages': return 'Nenhum destino recebe mensagens: os tipos de evento não as incluem'
      case 'waiting': return `${s(e.count, 'evento espera', 'eventos esperam')} a entrega${e.since ? ` desde ${f.ago(e.since, now)}` : ''}`
      case 'noDestination': return 'Nenhum destino. Os eventos ficam disponíveis pela API'
      case 'unreadable': return 'Não foi possível ler os destinos'
      case 'held': return `Retida: ${s(e.count, 'evento espera', 'eventos esperam')}${e.since ? ` desde ${f.ago(e.since, now)}` : ''}`
      case 'disabled': return `Um destino está desligado; ${s(e.count, 'evento guardado', 'eventos guardados')}`
      case 'failing': return `${failed(e.failure)}; ${s(e.count, 'evento será tentado', 'eventos serão tentados')} de novo`
      case 'notConnected': return 'Não se aplica'
    }
  },
  overview: {
    lead: 'A saúde das contas dos seus clientes, agora.', see: 'Ver quem precisa de ação', worst: 'Precisam de ação', allGood: 'Tudo em ordem. Nenhuma conta precisa de você agora.',
    ending: 'Acesso que termina em até 14 dias', endingNone: 'Nenhum acesso termina nas próximas duas semanas.', traffic: 'Eventos recebidos', trafficFrom: (count: number, from: string) => `${s(count, 'evento', 'eventos')} desde ${from}`,
    trafficNone: 'A Meta ainda não enviou nenhum evento.', trafficBar: (count: number, time: string) => `${time}: ${s(count, 'evento', 'eventos')}`, attempts: 'Últimas tentativas', allAttempts: 'Ver todas',
    emptyTitle: 'Conecte o primeiro cliente', emptyLead: 'Três passos até ver a primeira mensagem chegar.',
    steps: ['Abra o cadastro da Meta e escolha a empresa, a conta do WhatsApp e o número.', 'Nós guardamos o acesso, assinamos os webhooks e confirmamos cada passo.', 'Envie uma mensagem ao número: ela aparece aqui em segundos.'],
  },
  connections: {
    lead: 'Cada conta do WhatsApp que os seus clientes conectaram.', connect: 'Conectar WhatsApp', csv: 'Baixar CSV', searchHint: 'Cliente, número ou id',
    customer: 'Cliente', numbers: 'Números', situation: 'Situação', last: 'Último evento', until: 'Acesso até', checked: 'Verificada', moreNumbers: (n: number) => `e mais ${n}`,
    noExpiry: 'sem vencimento', emptyTitle: 'Nenhuma conexão ainda', emptyLead: 'Quando um cliente conectar o WhatsApp, a conta aparece aqui.',
    noneTitle: 'Nada encontrado', noneLead: 'Nenhuma conexão corresponde à busca e aos filtros.', found: (n: number) => s(n, 'conexão', 'conexões'), unnamed: 'Conta sem nome', file: 'conexoes',
  },
  connection: {
    verdict: {
      connected: 'Recebendo eventos da Meta.', lastEvent: (age: string) => `O último ${age}.`, noEvent: 'Conectada. Nenhum evento chegou ainda: envie uma mensagem ao número para ver.',
      claiming: (step: string, n: number) => `Conectando: ${step} (passo ${n} de 7). Segue sozinho.`, claimingSoon: 'Conectando. Segue sozinho.', disconnected: (when: string) => `Desconectada em ${when}. O histórico fica.`,
    },
    chain: 'Do cliente ao seu sistema', timeline: 'Linha do tempo', numbers: 'Números', messages: 'Mensagens', ids: 'Identificadores', actions: 'Mais ações', people: 'Quem agiu',
    checked: 'Verificado com a Meta.', subscribed: 'Assinatura refeita e confirmada.', registered: 'Registro pedido.', since: (age: string) => `neste estado ${age}`,
    disconnect: 'Desconectar', disconnectTitle: 'Desconectar esta conta?', disconnectLead: 'Deixamos de receber os eventos desta conta e apagamos o acesso. O histórico fica. Para voltar, o cliente precisa conectar de novo.',
    disconnectType: (word: string) => `Para confirmar, digite ${word}`, disconnectDone: 'Desconexão pedida.', reconnectWho: 'Só o cliente pode reconectar: ele entra com o Facebook dele.',
    pinTitle: (number: string) => `Registrar ${number}`, pinLead: 'Se o número tem um PIN de confirmação em duas etapas, informe-o. Sem PIN, usamos o que guardamos ou criamos um novo.', pinLabel: 'PIN de 6 dígitos', pinShape: 'O PIN tem 6 dígitos.', pinHave: 'Tenho um PIN', register: 'Registrar', which: 'Número',
    atMeta: 'Na Meta', readBefore: 'lido antes do registro; a próxima verificação atualiza', notYet: 'pendente até ser registrado', quality: 'Qualidade', limit: 'Limite', sending: 'Envio', registration: 'Registro', name: 'Nome', coexistence: 'Também no aplicativo WhatsApp Business', syncContacts: 'Contatos', syncHistory: 'Conversas', synced: (n: string) => `${n} recebidos`,
    organization: 'Organização', wabaId: 'Conta do WhatsApp (WABA)', businessId: 'Empresa na Meta', connectionId: 'Conexão', tokenId: 'Acesso', onboardingId: 'Tentativa', phoneNumberId: 'Id do número',
    noNumbers: 'A conta não tem números. O cliente pode adicionar um no Gerenciador do WhatsApp.', noActivities: 'Nada aconteceu ainda.', noActivitiesHere: 'Nada deste tipo nesta página da linha do tempo.',
  },
  messages: {
    none: 'Nenhuma mensagem ainda.', placeholder: 'Escreva uma mensagem', to: 'Para (com código do país)', send: 'Enviar', from: 'Enviar por', kind: (type: string): string => MESSAGES[type] ?? `[${type}]`, sent: 'Mensagem entregue à Meta.', text: 'Mensagem',
    toShape: 'Comece com + e o código do país. Exemplo: +55 11 91234-5678.', empty: 'Escreva a mensagem.', unsure: 'Não sabemos se a mensagem saiu. Tentar de novo não a envia duas vezes.', again: 'Tentar de novo', refused: 'A Meta recusou esta mensagem. O motivo está abaixo.', window: 'Textos livres só chegam até 24 h depois da última mensagem da pessoa.', reply: 'Responder', deleted: 'Esta mensagem foi apagada.', edited: 'editada',
  },
  groups: { access: 'Acesso', webhooks: 'Webhooks', numbers: 'Números', people: 'Pessoas' } satisfies Record<ActivityGroup, string>,
  actor: { service: 'rotina', meta: 'Meta', customer: 'cliente' },
  activity: {
    ONBOARDING_STARTED: 'Cadastro iniciado', CODE_POSTED: 'O cliente concluiu na Meta', CODE_EXCHANGED: 'Acesso recebido da Meta', CLAIM_STARTED: 'Conexão iniciada', CLAIM_RESTARTED: 'Conexão retomada',
    CLAIM_FAILED: 'A conexão não foi concluída', CHOICE_OFFERED: 'Várias contas compartilhadas: escolha pedida', WABA_CHOSEN: 'Conta escolhida', WABA_HELD: 'Conta reservada', CONNECTED: 'Conta conectada e confirmada',
    CHECKED: 'Verificada com a Meta', SUBSCRIPTION_PROVEN: 'Assinatura de webhooks confirmada', SUBSCRIPTION_FAILED: 'A Meta não confirmou a assinatura de webhooks', NUMBER_FOUND: 'Um número novo da conta foi encontrado', NUMBER_REGISTRATION_STARTED: 'Registro do número iniciado',
    DISCONNECT_REQUESTED: 'Desconexão pedida', UNSUBSCRIBE_FAILED: 'A Meta não encerrou a assinatura de webhooks', DISCONNECTED: 'Conta desconectada',
    DESTINATION_CREATED: 'Destino adicionado', DESTINATION_URL_CHANGED: 'Endereço do destino trocado', DESTINATION_SECRET_ROTATED: 'Segredo do destino trocado', DESTINATION_DELETED: 'Destino removido',
  } satisfies Record<ActivityName, string>,
  metaEvent: {
    PARTNER_ADDED: 'o cliente compartilhou a conta', PARTNER_REMOVED: 'o cliente retirou a conta', PARTNER_APP_INSTALLED: 'o cliente instalou o aplicativo', PARTNER_APP_UNINSTALLED: 'o cliente removeu o aplicativo', ACCOUNT_DELETED: 'a conta foi apagada',
    ACCOUNT_RESTRICTION: 'a conta foi restringida', ACCOUNT_VIOLATION: 'a conta violou uma política', DISABLED_UPDATE: 'a conta foi ou será desativada', VERIFIED_ACCOUNT: 'a empresa foi verificada', ACCOUNT_OFFBOARDED: 'o aplicativo do celular saiu', ACCOUNT_RECONNECTED: 'o aplicativo do celular voltou',
  } as Record<string, string>,
  activityOf: {
    sync: (part: string, state: string) => `${part}: ${state}`, destination: (state: string) => `Destino: ${state.toLowerCase()}`,
    state: (label: string) => `Situação: ${label}`, number: (label: string) => `Registro do número: ${label}`, meta: (event: string) => `Aviso da Meta: ${event}`,
  },
  attempts: {
    lead: 'Cada vez que alguém abriu o cadastro, também as que não terminaram.', when: 'Quando', who: 'Organização', situation: 'Situação', reached: 'Até onde foi', finished: 'até o fim', device: 'Aparelho', none: 'Nenhuma tentativa ainda', noneLead: 'Quando alguém abrir o cadastro da Meta, a tentativa aparece aqui, mesmo se for cancelada.',
    noneFilter: 'Nenhuma tentativa nesta situação.', title: 'Tentativa', steps: 'Passos', noSteps: 'Nenhum ainda: eles começam quando a Meta nos entrega o código.', report: 'O que a página contou', noReport: 'A página não contou nada: a janela da Meta pode não ter sido aberta.', session: 'Sessão na Meta', sessionHelp: 'Informe ao suporte da Meta.', metaStep: 'Parou em', metaError: 'Erro da Meta',
    tries: (n: number) => s(n, 'tentativa', 'tentativas'), toConnection: 'Ver a conexão', choices: 'Contas compartilhadas', expires: 'Vale até', unknownDevice: 'aparelho desconhecido', choose: 'Conectar esta',
  },
  metaStep: {
    PHONE_NUMBER_SETUP: 'escolha do número', PHONE_NUMBER_VERIFICATION: 'confirmação do número', BUSINESS_ACCOUNT_SELECTION: 'escolha da empresa', WABA_PHONE_PROFILE_PICKER: 'escolha da conta e do número', PERMISSIONS: 'permissões',
  } as Record<string, string>,
  events: {
    lead: 'O que a Meta avisou e o que entregamos ao seu sistema.', changes: 'Recebidos', destinations: 'Destinos', field: 'Tipo', connection: 'Conexão', state: 'Situação', received: 'Recebido', delay: 'Atraso', unowned: 'sem conexão',
    none: 'Nenhum evento ainda', noneLead: 'Tudo o que a Meta enviar aparece aqui, também o que não soubermos ler.', noneFilter: 'Nenhum evento com estes filtros.', title: 'Evento', raw: 'Como a Meta enviou', replay: 'Reprocessar', replayed: (n: number) => `${s(n, 'evento reprocessado', 'eventos reprocessados')}.`,
    replayAll: (n: number) => `Reprocessar ${n === 1 ? 'este evento' : `estes ${n}`}`, replayAllTitle: (n: number) => `Reprocessar ${s(n, 'evento', 'eventos')}?`, replayAllLead: 'Cada um é lido de novo e entregue outra vez aos destinos. O que já fez não faz duas vezes.', replaying: (done: number, all: number) => `Reprocessando ${done} de ${all}…`, replayFailed: (n: number) => `${s(n, 'evento não pôde ser reprocessado', 'eventos não puderam ser reprocessados')}.`,
    fieldHint: 'Tipo, como messages', fieldRule: 'Só letras, números e sublinhados.', deliveryId: 'Entrega da Meta', changeId: 'Evento', event: 'Aviso',
  },
  destinations: {
    lead: 'Endereços do seu sistema que recebem os eventos na hora.', add: 'Adicionar destino', none: 'Nenhum destino ainda', noneLead: 'Adicione o endereço do seu sistema para receber cada evento assim que chega. Sem destino, leia pela API.', url: 'Endereço (https)', urlHelp: 'Um endereço público do seu sistema que responde 2xx.',
    urlShape: 'Use um endereço completo que comece com https://.', kind: 'Formato', types: 'Tipos de evento', typesHelp: 'Separados por vírgula, como change.messages ou connection.*. Vazio: todos.', secret: 'Segredo (opcional)', secretHelp: 'Deixe vazio para criarmos um.', everyone: 'De todas as organizações',
    create: 'Adicionar', pending: (n: number) => s(n, 'evento espera', 'eventos esperam'), lastSuccess: (age: string) => `Última entrega ${age}`, noSuccess: 'Nenhuma entrega ainda', allTypes: 'todos os eventos', test: 'Testar', rotate: 'Trocar segredo', enable: 'Ligar', disable: 'Desligar', remove: 'Remover',
    attempts: 'Entregas', attemptsNone: 'Nada foi enviado ainda.', ok: 'recebido', nextTry: (age: string) => `nova tentativa ${age}`, tested: (status: string) => `Teste recebido (${status}).`, testFailed: (why: string) => `O teste não foi recebido: ${why}.`, noAnswer: 'sem resposta',
    secretTitle: 'Guarde o segredo agora', secretLead: 'Ele confere a assinatura de cada evento e não será mostrado outra vez.', copySecret: 'Copiar segredo', secretKept: 'Já guardei', rotateTitle: 'Trocar o segredo?', rotateLead: 'Durante um dia os eventos assinados levam as duas assinaturas. No formato original da Meta a troca vale na hora.', removeTitle: 'Remover este destino?', removeLead: 'O que ainda não foi recebido por ele se perde.', attempt: (n: number) => `${n}ª vez`, changed: 'Destino atualizado.', removed: 'Destino removido.', refusal: 'Última recusa', lastFailure: 'Última falha',
    failure: (said: string): string => FAILURES[said] ?? said.replace('redirects are not followed', 'redirecionamentos não são seguidos'),
  },
  connect: {
    title: 'Conectar WhatsApp', dialogLead: 'A janela da Meta abre aqui. Entre com o Facebook de quem administra a empresa.', organizationLabel: 'Para qual organização?', organizationHelp: 'O id do cliente no seu sistema. Ele verá só as contas desta organização.', next: 'Continuar', open: 'Abrir cadastro da Meta', another: 'Conectar outra', done: 'Conectado', see: 'Ver a conexão', coexistence: 'O número continua no aplicativo WhatsApp Business', whichAccount: 'Várias contas foram compartilhadas. Qual quer conectar?', unavailable: 'Não foi possível abrir o cadastro da Meta neste navegador.',
    titleAgain: 'Reconectar WhatsApp', account: 'Conta', how: 'Como conectar', way: { here: 'Conectar aqui', link: 'Enviar link ao cliente' } satisfies Record<Way, string>,
    sendLink: 'Enviar link', sendReconnectLink: 'Enviar link de reconexão', copyConnectLink: 'Copiar link de conexão',
    linkLead: 'Quem abrir este link conecta uma conta do WhatsApp a esta organização e não vê mais nada. Envie só ao cliente.', link: 'Link de conexão', copyLink: 'Copiar link', linkCopied: 'Link copiado.', linkNotCopied: 'O navegador não deixou copiar. Selecione o link e copie.',
    byWhatsApp: 'WhatsApp', byMail: 'E-mail', byQr: 'QR code', qrLabel: 'QR code do link de conexão', newLink: 'Criar outro link', goodUntil: (time: string, left: string) => `Vale uma vez, até as ${time} (${left}).`,
    shareSubject: 'Conectar o seu WhatsApp',
    shareText: (name: string, address: string, until: string) => `Olá! Para ${name ? `reconectar o WhatsApp de ${name}` : 'conectar o WhatsApp da sua empresa'}, abra este link e entre com o Facebook de quem administra a empresa. Leva uns 3 minutos, e o link vale até as ${until}:\n${address}`,
    leftAt: (step: string) => `O cliente fechou a janela da Meta em: ${step}. O link continua valendo.`,
    follow: {
      waiting: 'Esperando o cliente abrir o link. Se fechar esta janela, acompanhe em Tentativas.', opened: 'O cliente abriu a janela da Meta.', left: 'O cliente fechou a janela da Meta. O link continua valendo.', blocked: 'O navegador do cliente bloqueou a janela da Meta. O link continua valendo.',
      refused: 'A Meta mostrou um erro ao cliente. O link continua valendo; o erro está em Tentativas.', choosing: 'O cliente está escolhendo entre várias contas.', connecting: 'Conectando', connected: 'Conectado.', failed: 'Não foi concluída', expired: 'Este link não vale mais.',
    } satisfies Record<Stage, string>,
  },
}

// Of a receiver that answers is said that it refused; what else went wrong is not its doing alone.
const failed = (failure: string) => isRefusal(failure) ? `O seu sistema recusou (${failure})` : `Não chegou ao seu sistema (${pt.destinations.failure(failure)})`

// What a message without a text is.
const MESSAGES: Record<string, string> = {
  audio: 'Áudio', button: 'Botão', contacts: 'Contato', document: 'Documento', image: 'Imagem', interactive: 'Mensagem interativa', location: 'Localização', order: 'Pedido',
  reaction: 'Reação', sticker: 'Figurinha', system: 'Aviso do WhatsApp', template: 'Modelo de mensagem', unsupported: 'Tipo de mensagem que o WhatsApp não entrega aqui', video: 'Vídeo',
}

const FAILURES: Record<string, string> = {
  'not an absolute https URL without user and fragment': 'o endereço não é um URL https completo', 'the address is not allowed': 'o endereço não é permitido', 'the name does not resolve': 'o nome do endereço não existe',
  'the connection was refused': 'a conexão foi recusada', 'no connection could be made': 'não houve conexão', 'the certificate or the TLS handshake is not acceptable': 'o certificado ou a negociação TLS não é aceitável',
  'no answer within ten seconds': 'sem resposta em dez segundos', 'the connection ended without an answer of HTTP': 'a conexão terminou sem resposta HTTP', 'our copy of the secret does not open': 'a nossa cópia do segredo não abre: troque o segredo',
}

const reasonless = (reason: string) => reason.toLowerCase().replaceAll('_', ' ')
