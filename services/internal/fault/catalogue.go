package fault

import (
	"sync"

	"google.golang.org/grpc/codes"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

// Text is what happened and what to do about it, two sentences without their full stops.
type Text struct{ Happened, Do string }

type entry struct {
	code   codes.Code
	en, pt Text
}

func (e entry) text(lang Language) Text {
	if lang == Portuguese {
		return e.pt
	}
	return e.en
}

// Describe answers the sentences of a reason by its name; empty for an empty or unknown name.
func Describe(reason string, lang Language) Text {
	value, ok := errorsv1.ErrorReason_value[reason]
	if !ok || value == 0 {
		return Text{}
	}
	return entryOf(Reason(value)).text(lang)
}

func entryOf(reason Reason) entry {
	if e, ok := catalogue()[reason]; ok {
		return e
	}
	return catalogue()[errorsv1.ErrorReason_INTERNAL]
}

// catalogue lists every reason once.
var catalogue = sync.OnceValue(func() map[Reason]entry {
	return map[Reason]entry{
		errorsv1.ErrorReason_INVALID_FIELD: {
			codes.InvalidArgument,
			Text{"A field of the request is not valid", "Correct the field and send the request again"},
			Text{"Um campo da requisição não é válido", "Corrija o campo e envie a requisição de novo"},
		},
		errorsv1.ErrorReason_ORGANIZATION_REQUIRED: {
			codes.InvalidArgument,
			Text{"You act for several organizations and named none", "Name one in the header X-Organization-Id"},
			Text{"Você atua por várias organizações e não indicou nenhuma", "Indique uma no cabeçalho X-Organization-Id"},
		},
		errorsv1.ErrorReason_UNAUTHENTICATED: {
			codes.Unauthenticated,
			Text{"The credential is missing or not known here", "Send a listed bearer token in the header Authorization, or a listed client certificate"},
			Text{"A credencial falta ou não é conhecida aqui", "Envie um token listado no cabeçalho Authorization ou um certificado de cliente listado"},
		},
		errorsv1.ErrorReason_PERMISSION_DENIED: {
			codes.PermissionDenied,
			Text{"You may not do this", "Ask whoever runs the system for the role or the organization that it needs"},
			Text{"Você não tem permissão para isto", "Peça a quem opera o sistema o papel ou a organização necessária"},
		},
		errorsv1.ErrorReason_NOT_FOUND: {
			codes.NotFound,
			Text{"There is nothing of that id in your organization", "Check the id and the organization"},
			Text{"Não há nada com esse id na sua organização", "Confira o id e a organização"},
		},
		errorsv1.ErrorReason_TOKEN_NOT_FOUND: {
			codes.NotFound,
			Text{"There is no access token for that in this organization", "Check the id and the organization, or connect the account first"},
			Text{"Não há acesso guardado para isso nesta organização", "Confira o id e a organização, ou conecte a conta primeiro"},
		},
		errorsv1.ErrorReason_INTERNAL: {
			codes.Internal,
			Text{"Something failed on our side", "Try again; if it stays, quote the request id to whoever runs the system"},
			Text{"Algo falhou do nosso lado", "Tente de novo; se continuar, informe o id da requisição a quem opera o sistema"},
		},
		errorsv1.ErrorReason_DEADLINE_EXCEEDED: {
			codes.DeadlineExceeded,
			Text{"The time for this call ran out", "Call again with more time; what was begun goes on, and the same request meets it"},
			Text{"O tempo desta chamada acabou", "Chame de novo com mais tempo; o que começou continua, e a mesma requisição o encontra"},
		},
		errorsv1.ErrorReason_CANCELLED: {
			codes.Canceled,
			Text{"The caller ended the call", "Call again if the answer is still wanted"},
			Text{"Quem chamou encerrou a chamada", "Chame de novo se ainda quiser a resposta"},
		},
		errorsv1.ErrorReason_UNIMPLEMENTED: {
			codes.Unimplemented,
			Text{"There is no such method or path", "Compare the path with /openapi.json"},
			Text{"Não existe esse método ou caminho", "Compare o caminho com /openapi.json"},
		},
		errorsv1.ErrorReason_RATE_LIMITED: {
			codes.ResourceExhausted,
			Text{"You ask for more than you may have at a time", "Wait as long as told, and ask less often"},
			Text{"Você pede mais do que é permitido ao mesmo tempo", "Espere o tempo indicado e peça com menos frequência"},
		},
		errorsv1.ErrorReason_REQUEST_ID_REUSED: {
			codes.AlreadyExists,
			Text{"This request id belongs to another request", "Send a new request under an id of its own"},
			Text{"Este id de requisição pertence a outra requisição", "Envie a nova requisição com um id próprio"},
		},
		errorsv1.ErrorReason_CURSOR_EXPIRED: {
			codes.FailedPrecondition,
			Text{"The cursor is older than the changes that are kept", "Begin without a cursor, and compare with ListMessages what may be missing"},
			Text{"O cursor é mais antigo do que as mudanças guardadas", "Comece sem cursor e compare com ListMessages o que pode faltar"},
		},
		errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED: {
			codes.FailedPrecondition,
			Text{"Events can not be sent to this URL", "Name an https URL whose host has public addresses only"},
			Text{"Não é possível enviar eventos para esta URL", "Indique uma URL https cujo servidor só tenha endereços públicos"},
		},
		errorsv1.ErrorReason_LIMIT_REACHED: {
			codes.FailedPrecondition,
			Text{"There are as many of these as there may be", "Remove one that is no longer needed, or do without another"},
			Text{"Já existem tantos destes quanto é permitido", "Remova um que não seja mais necessário ou fique sem outro"},
		},
		errorsv1.ErrorReason_CREDENTIAL_EXPIRED: {
			codes.Unauthenticated,
			Text{"The time of this credential is over", "Get a new one: start a new onboarding, or sign in again"},
			Text{"O prazo desta credencial acabou", "Obtenha outra: comece outro cadastro ou entre de novo"},
		},
		errorsv1.ErrorReason_UNSUPPORTED_MEDIA_TYPE: {
			codes.InvalidArgument,
			Text{"The body is no plain JSON", "Send JSON in UTF-8 with Content-Type: application/json, and without Content-Encoding"},
			Text{"O corpo não é JSON simples", "Envie JSON em UTF-8 com Content-Type: application/json e sem Content-Encoding"},
		},
		errorsv1.ErrorReason_BODY_TOO_LARGE: {
			codes.InvalidArgument,
			Text{"The body is larger than 256 KiB", "Send less at a time"},
			Text{"O corpo passa de 256 KiB", "Envie menos de cada vez"},
		},
		errorsv1.ErrorReason_CODE_EXPIRED: {
			codes.FailedPrecondition,
			Text{"The authorization code is older than 30 seconds", "Open the signup again and send its code at once"},
			Text{"O código de autorização passou dos 30 segundos", "Abra o cadastro de novo e envie o código na hora"},
		},
		errorsv1.ErrorReason_CODE_ALREADY_USED: {
			codes.FailedPrecondition,
			Text{"The authorization code was used before", "Open the signup again for a new code"},
			Text{"O código de autorização já foi usado", "Abra o cadastro de novo para obter outro código"},
		},
		errorsv1.ErrorReason_CODE_INVALID: {
			codes.FailedPrecondition,
			Text{"Meta does not know this authorization code", "Open the signup again, and send the code exactly as it came"},
			Text{"A Meta não reconhece este código de autorização", "Abra o cadastro de novo e envie o código exatamente como veio"},
		},
		errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN: {
			codes.FailedPrecondition,
			Text{"Meta gave no usable answer to the authorization code, so it may be spent", "Open the signup again for a new code"},
			Text{"A Meta não deu resposta válida ao código de autorização, e ele pode estar gasto", "Abra o cadastro de novo para obter outro código"},
		},
		errorsv1.ErrorReason_REDIRECT_URI_MISMATCH: {
			codes.FailedPrecondition,
			Text{"The redirect URI differs from the one that the dialog had", "Send redirectUri only for codes of the full-page dialog, exactly as the dialog had it, and open the signup again"},
			Text{"O endereço de retorno difere do usado no diálogo", "Envie redirectUri só para códigos do diálogo em página inteira, exatamente igual, e abra o cadastro de novo"},
		},
		errorsv1.ErrorReason_STATE_MISMATCH: {
			codes.FailedPrecondition,
			Text{"The state does not belong to this signup, or another code was sent with it", "Start a new onboarding and send its own state with its own code"},
			Text{"O state não pertence a este cadastro, ou outro código já foi enviado com ele", "Comece outro cadastro e envie o state dele com o código dele"},
		},
		errorsv1.ErrorReason_ONBOARDING_EXPIRED: {
			codes.FailedPrecondition,
			Text{"This signup was not finished in time", "Start a new onboarding"},
			Text{"Este cadastro não foi concluído a tempo", "Comece outro cadastro"},
		},
		errorsv1.ErrorReason_APP_CREDENTIALS_REJECTED: {
			codes.FailedPrecondition,
			Text{"Meta rejects our app id or app secret", "Whoever runs the system must correct META_APP_ID and META_APP_SECRET; then open the signup again"},
			Text{"A Meta recusa o id ou o segredo do nosso aplicativo", "Quem opera o sistema deve corrigir META_APP_ID e META_APP_SECRET; depois abra o cadastro de novo"},
		},
		errorsv1.ErrorReason_SIGNUP_NOT_CONFIGURED: {
			codes.FailedPrecondition,
			Text{"The signup can not be opened, since a setting is missing here", "Whoever runs the system must set META_CONFIG_ID"},
			Text{"Não é possível abrir o cadastro, pois falta um ajuste aqui", "Quem opera o sistema deve definir META_CONFIG_ID"},
		},
		errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS: {
			codes.Unavailable,
			Text{"The authorization code is being spent right now", "Ask again in a moment"},
			Text{"O código de autorização está sendo usado neste momento", "Pergunte de novo em instantes"},
		},
		errorsv1.ErrorReason_TOKEN_EXPIRED: {
			codes.FailedPrecondition,
			Text{"The access to this account has expired, or ends too soon", "Have the customer connect the account again"},
			Text{"O acesso a esta conta venceu ou vence cedo demais", "Peça ao cliente que conecte a conta de novo"},
		},
		errorsv1.ErrorReason_TOKEN_INVALID: {
			codes.FailedPrecondition,
			Text{"The access to this account is no longer valid", "Have the customer connect the account again"},
			Text{"O acesso a esta conta não é mais válido", "Peça ao cliente que conecte a conta de novo"},
		},
		errorsv1.ErrorReason_TOKEN_UNVERIFIED: {
			codes.Unavailable,
			Text{"The access is stored and Meta has not confirmed it yet", "Try again in a few seconds"},
			Text{"O acesso está guardado e a Meta ainda não o confirmou", "Tente de novo em alguns segundos"},
		},
		errorsv1.ErrorReason_META_REJECTED: {
			codes.FailedPrecondition,
			Text{"Meta refused", "See Meta's code in the metadata, mend its cause and try again; a signup has to be opened again"},
			Text{"A Meta recusou", "Veja o código da Meta nos metadados, corrija a causa e tente de novo; um cadastro precisa ser aberto de novo"},
		},
		errorsv1.ErrorReason_META_RATE_LIMITED: {
			codes.ResourceExhausted,
			Text{"Meta limits our calls for now", "Wait as long as told and try again; a signup has to be opened again"},
			Text{"A Meta está limitando nossas chamadas por enquanto", "Espere o tempo indicado e tente de novo; um cadastro precisa ser aberto de novo"},
		},
		errorsv1.ErrorReason_META_UNAVAILABLE: {
			codes.Unavailable,
			Text{"Meta can not be reached or gives no usable answer", "Try again in a moment"},
			Text{"A Meta não responde ou não dá resposta válida", "Tente de novo em instantes"},
		},
		errorsv1.ErrorReason_STORAGE_UNAVAILABLE: {
			codes.Unavailable,
			Text{"Our database can not be reached", "Try again in a moment"},
			Text{"Nosso banco de dados não responde", "Tente de novo em instantes"},
		},
		errorsv1.ErrorReason_BROKER_UNAVAILABLE: {
			codes.Unavailable,
			Text{"The keeper of the access tokens can not be reached", "Try again in a moment"},
			Text{"O serviço que guarda os acessos não responde", "Tente de novo em instantes"},
		},
		errorsv1.ErrorReason_DATA_INTEGRITY: {
			codes.DataLoss,
			Text{"A stored secret does not open where it stands", "Whoever runs the system must look at the database and its keys; have the customer connect again if it can not be mended"},
			Text{"Um segredo guardado não abre onde está", "Quem opera o sistema deve examinar o banco e as chaves; se não houver conserto, peça ao cliente que conecte de novo"},
		},
		errorsv1.ErrorReason_WABA_NOT_SHARED: {
			codes.FailedPrecondition,
			Text{"The customer did not share this WhatsApp account with us", "Open the signup again and choose the account in Meta's window"},
			Text{"O cliente não compartilhou esta conta do WhatsApp conosco", "Abra o cadastro de novo e escolha a conta na janela da Meta"},
		},
		errorsv1.ErrorReason_WABA_ID_REQUIRED: {
			codes.FailedPrecondition,
			Text{"Meta does not say which WhatsApp account was shared", "Send the same code again with the wabaId that Meta's window reported, or open the signup again"},
			Text{"A Meta não diz qual conta do WhatsApp foi compartilhada", "Envie o mesmo código de novo com o wabaId que a janela da Meta informou, ou abra o cadastro de novo"},
		},
		errorsv1.ErrorReason_WABA_CLAIMED_ELSEWHERE: {
			codes.FailedPrecondition,
			Text{"This WhatsApp account is connected by another organization", "Disconnect it there first, or ask whoever runs the system"},
			Text{"Esta conta do WhatsApp está conectada por outra organização", "Desconecte-a lá primeiro ou fale com quem opera o sistema"},
		},
		errorsv1.ErrorReason_WABA_MISMATCH: {
			codes.FailedPrecondition,
			Text{"This is another WhatsApp account than the one in question", "Choose the same account, or start a new onboarding for the other"},
			Text{"Esta é outra conta do WhatsApp, não a que está em questão", "Escolha a mesma conta ou comece outro cadastro para a outra"},
		},
		errorsv1.ErrorReason_PHONE_NUMBER_NOT_FOUND: {
			codes.FailedPrecondition,
			Text{"The phone number is not among those of the WhatsApp account", "Check the phone number id; it may be left out where the account has one number"},
			Text{"O número não está entre os desta conta do WhatsApp", "Confira o id do número; ele pode ficar de fora se a conta tiver um só número"},
		},
		errorsv1.ErrorReason_PERMISSION_MISSING: {
			codes.FailedPrecondition,
			Text{"The customer did not grant a permission that is needed", "Open the signup again and leave every permission on"},
			Text{"O cliente não concedeu uma permissão necessária", "Abra o cadastro de novo e deixe todas as permissões ligadas"},
		},
		errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED: {
			codes.FailedPrecondition,
			Text{"Meta does not list our app among the subscribers of this account, so that no message would arrive", "Try again; if it stays, check the webhook settings of the app at Meta"},
			Text{"A Meta não lista nosso aplicativo entre os assinantes desta conta, e nenhuma mensagem chegaria", "Tente de novo; se continuar, confira os webhooks do aplicativo na Meta"},
		},
		errorsv1.ErrorReason_CLAIM_STUCK: {
			codes.FailedPrecondition,
			Text{"The connection did not finish in time", "Send the same code again: it goes on with the access already given"},
			Text{"A conexão não terminou a tempo", "Envie o mesmo código de novo: ela continua com o acesso já dado"},
		},
		errorsv1.ErrorReason_DISCONNECTING: {
			codes.FailedPrecondition,
			Text{"This connection is being ended, or has ended", "Wait until it is disconnected, then connect the account again"},
			Text{"Esta conexão está sendo encerrada ou já terminou", "Espere até que esteja desconectada e conecte a conta de novo"},
		},
		errorsv1.ErrorReason_NO_PHONE_NUMBER: {
			codes.FailedPrecondition,
			Text{"The WhatsApp account has no phone number", "Add a number in WhatsApp Manager, then check the connection"},
			Text{"A conta do WhatsApp não tem número", "Adicione um número no Gerenciador do WhatsApp e verifique a conexão"},
		},
		errorsv1.ErrorReason_PIN_REQUIRED: {
			codes.FailedPrecondition,
			Text{"The number has a two-step verification PIN that we do not know", "Register the number with its PIN, or reset the PIN in WhatsApp Manager"},
			Text{"O número tem um PIN de verificação em duas etapas que não conhecemos", "Registre o número com o PIN dele ou redefina o PIN no Gerenciador do WhatsApp"},
		},
		errorsv1.ErrorReason_DISPLAY_NAME_IN_REVIEW: {
			codes.FailedPrecondition,
			Text{"Meta is reviewing the display name of the number", "Wait: the number is registered when the name is approved"},
			Text{"A Meta está analisando o nome de exibição do número", "Espere: o número é registrado quando o nome for aprovado"},
		},
		errorsv1.ErrorReason_REGISTRATION_FAILED: {
			codes.FailedPrecondition,
			Text{"A number could not be registered", "See the reason at the number, mend it and register the number again"},
			Text{"Um número não pôde ser registrado", "Veja o motivo no número, corrija e registre o número de novo"},
		},
		errorsv1.ErrorReason_NO_EVENT_YET: {
			codes.FailedPrecondition,
			Text{"Connected, and no event has arrived yet", "Send a message to the number from another phone"},
			Text{"Conectado, e nenhum evento chegou ainda", "Envie uma mensagem para o número de outro telefone"},
		},
		errorsv1.ErrorReason_ACCOUNT_DISABLED: {
			codes.FailedPrecondition,
			Text{"Meta disabled the WhatsApp account, or is about to", "Open the account in WhatsApp Manager and ask Meta for a review"},
			Text{"A Meta desativou a conta do WhatsApp ou está para desativar", "Abra a conta no Gerenciador do WhatsApp e peça uma análise à Meta"},
		},
		errorsv1.ErrorReason_ACCOUNT_RESTRICTED: {
			codes.FailedPrecondition,
			Text{"Meta restricts the WhatsApp account", "See the restriction in WhatsApp Manager, and wait for its end or ask for a review"},
			Text{"A Meta restringiu a conta do WhatsApp", "Veja a restrição no Gerenciador do WhatsApp e aguarde o fim ou peça uma análise"},
		},
		errorsv1.ErrorReason_ACCOUNT_REJECTED: {
			codes.FailedPrecondition,
			Text{"Meta rejected the WhatsApp account in its review", "See why in WhatsApp Manager, mend it and ask for another review"},
			Text{"A Meta rejeitou a conta do WhatsApp na análise", "Veja o motivo no Gerenciador do WhatsApp, corrija e peça outra análise"},
		},
		errorsv1.ErrorReason_ACCOUNT_OFFBOARDED: {
			codes.FailedPrecondition,
			Text{"The WhatsApp Business app changed its device, and Meta has not connected it again yet", "Wait some minutes; if it stays so, open the app on the phone and connect the account again"},
			Text{"O aplicativo WhatsApp Business mudou de aparelho e a Meta ainda não o reconectou", "Aguarde alguns minutos; se continuar, abra o aplicativo no celular e conecte a conta de novo"},
		},
		errorsv1.ErrorReason_PHONE_NUMBER_UNHEALTHY: {
			codes.FailedPrecondition,
			Text{"Meta has something against a number, which may not be usable now", "See the status at the number, and open it in WhatsApp Manager"},
			Text{"A Meta tem algo contra um número, que pode não estar utilizável agora", "Veja o status no número e abra-o no Gerenciador do WhatsApp"},
		},
		errorsv1.ErrorReason_PHONE_NUMBER_NOT_VERIFIED: {
			codes.FailedPrecondition,
			Text{"A number is not verified yet, so that it can not send or receive", "Verify it in WhatsApp Manager by the code of a text message or call, then check the connection"},
			Text{"Um número ainda não foi verificado e por isso não envia nem recebe", "Verifique-o no Gerenciador do WhatsApp com o código recebido por SMS ou ligação e depois verifique a conexão"},
		},
		errorsv1.ErrorReason_SENDING_BLOCKED: {
			codes.FailedPrecondition,
			Text{"Meta lets no message of a number out", "See what is missing in WhatsApp Manager, often a payment method, then check the connection"},
			Text{"A Meta não deixa sair mensagens de um número", "Veja o que falta no Gerenciador do WhatsApp, muitas vezes uma forma de pagamento, e verifique a conexão"},
		},
		errorsv1.ErrorReason_PARTNER_REMOVED: {
			codes.FailedPrecondition,
			Text{"The sharing of this WhatsApp account with us has ended at Meta", "See why in the timeline, and have the customer connect the account again"},
			Text{"O compartilhamento desta conta do WhatsApp conosco terminou na Meta", "Veja o motivo na linha do tempo e peça ao cliente que conecte a conta de novo"},
		},
		errorsv1.ErrorReason_ACCOUNT_DELETED: {
			codes.FailedPrecondition,
			Text{"This WhatsApp account was deleted at Meta", "Have the customer sign up with another account, and disconnect this one"},
			Text{"Esta conta do WhatsApp foi excluída na Meta", "Peça ao cliente que conecte outra conta e desconecte esta"},
		},
		errorsv1.ErrorReason_SYNC_EXPIRED: {
			codes.FailedPrecondition,
			Text{"Contacts and history could be had within 24 hours of the signup only", "To have them, disconnect the number in the WhatsApp Business app and connect it again"},
			Text{"Contatos e histórico só podem ser obtidos até 24 horas depois da conexão", "Para tê-los, desconecte o número no aplicativo WhatsApp Business e conecte de novo"},
		},
	}
})
