package graphsim

import (
	"net/http"
	"strconv"
	"strings"
)

// words are the texts of the pages in one language. A % is the place of a name.
type words struct {
	Lang string

	Continue, Back, Cancel, Finish, Report, Simulated, NeedsScript, CloseWindow string

	LoginTitle, LoginText, Person, PersonNote string

	BusinessTitle, BusinessText, NewBusiness, BusinessName string

	WABATitle, WABAText, NewWABA string

	ProfileTitle, ProfileText, WABAName, DisplayName string

	NumberTitle, NumberText, NewNumber, AppNumber, AppNote, LaterNumber, LaterNote, PhoneNumber, Fail, NoFail string

	VerifyTitle, VerifyText, Code, ScanTitle, ScanText, ScanConfirm, QRCode string

	PermissionsTitle, PermissionsText, PermissionManage, PermissionMessage, Assets string

	DoneTitle, DoneText, CancelledTitle, FailedTitle, FailedText, ErrorCode, SessionID string

	WantName, WantChoice, WantWABA, WantNumber, NumberTaken, WrongCode string

	PhoneTitle, PhoneText, BusinessNumber, NoNumbers, YourName, YourNumber, WriteAs, AsCustomer, AsApp, Message, Send string
	Conversation, NothingSaid, SentByApp, NotDelivered, NotReached                                                    string

	IndexTitle, IndexText, LinkPhone, LinkJournal, LinkDeliveries, LinkNumbers, LinkReference string
}

// wordsFor picks the language that a dialog URL names by locale, else the one that the browser likes better.
func wordsFor(r *http.Request) *words {
	if locale := r.URL.Query().Get("locale"); locale != "" {
		return wordsIn(locale)
	}
	best, weight := "en", 0.0
	for item := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, parameter, weighted := strings.Cut(strings.TrimSpace(item), ";")
		q := 1.0
		if weighted {
			value, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(parameter), "q="), 64)
			if err != nil {
				continue
			}
			q = value
		}
		if language := primary(tag); (language == "pt" || language == "en") && q > weight {
			best, weight = language, q
		}
	}
	return wordsIn(best)
}

func wordsIn(locale string) *words {
	if primary(locale) == "pt" {
		return portuguese()
	}
	return english()
}

// primary is the language of a tag: pt of pt-BR and of pt_BR.
func primary(tag string) string {
	language, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	return language
}

func english() *words {
	return &words{
		Lang:     "en",
		Continue: "Continue", Back: "Back", Cancel: "Cancel", Finish: "Finish", Report: "Report and close",
		Simulated: "Simulated Meta: nothing here is real", NeedsScript: "This page needs JavaScript.",
		CloseWindow: "You can close this window.",

		LoginTitle: "Connect WhatsApp to %s", LoginText: "%s wants to manage a WhatsApp account of yours. Log in to go on.",
		Person: "Log in as", PersonNote: "Any name: the person is fictitious.",

		BusinessTitle: "Choose a business portfolio", BusinessText: "It owns the WhatsApp accounts that you share.",
		NewBusiness: "Create a business portfolio", BusinessName: "Name of the new portfolio",

		WABATitle: "Choose WhatsApp accounts", WABAText: "%s will have access to the ones that you select.",
		NewWABA: "Create a WhatsApp account",

		ProfileTitle: "Your new WhatsApp account", ProfileText: "Customers see the display name.",
		WABAName: "Name of the account", DisplayName: "Display name",

		NumberTitle: "Choose a phone number", NumberText: "Customers write to this number.",
		NewNumber: "Add a new number", AppNumber: "I use the WhatsApp Business app",
		AppNote:     "The number goes on working in the app.",
		LaterNumber: "Add a number later", LaterNote: "The account is shared without one.",
		PhoneNumber: "New number, or the one in the app", Fail: "Simulate a problem", NoFail: "No problem",

		VerifyTitle: "Verify the number", VerifyText: "The simulated SMS to %s says %s.", Code: "Code",
		ScanTitle: "Connect the app", ScanText: "Open WhatsApp Business with %s, scan the code and confirm.",
		ScanConfirm: "I confirmed in the app. Press Continue.", QRCode: "Simulated QR code: there is nothing to scan",

		PermissionsTitle: "Review what you share", PermissionsText: "%s will be able to:",
		PermissionManage: "Manage the WhatsApp accounts", PermissionMessage: "Send and receive messages", Assets: "You share",

		DoneTitle: "Your account is connected", DoneText: "Finish to go back to %s. The window closes by itself in 20 seconds.",
		CancelledTitle: "Cancelled", FailedTitle: "This could not be done",
		FailedText: "Go back and try otherwise, or report the problem.", ErrorCode: "Error code", SessionID: "Session",

		WantName: "Fill in a name.", WantChoice: "Choose one of the list.", WantWABA: "Choose at least one WhatsApp account of the list.",
		WantNumber: "Fill in a phone number with its country code, 8 to 15 digits.", NumberTaken: "This number already belongs to a WhatsApp account.",
		WrongCode: "This is not the code that was sent.",

		PhoneTitle: "A customer's phone", PhoneText: "Write to a business of the simulator, and see what it answers.",
		BusinessNumber: "Business", NoNumbers: "There is no business number yet: let somebody finish a signup.",
		YourName: "Your name", YourNumber: "Your number", WriteAs: "Write as", AsCustomer: "Customer",
		AsApp: "Business, from its app", Message: "Message", Send: "Send", Conversation: "Conversation",
		NothingSaid: "Nothing was said yet.", SentByApp: "from the app", NotDelivered: "Not delivered to the app:",
		NotReached: "The simulator can not be reached.",

		IndexTitle: "graphsim", IndexText: "Meta's Graph API, its signup popup and its webhooks, simulated. Nothing here is real, and nothing here belongs into production.",
		LinkPhone: "A customer's phone: write to a business", LinkJournal: "Journal: what was asked of the Graph API",
		LinkDeliveries: "Log of webhooks", LinkNumbers: "Business numbers", LinkReference: "Reference: what it serves, and how it is scripted",
	}
}

func portuguese() *words {
	return &words{
		Lang:     "pt-BR",
		Continue: "Continuar", Back: "Voltar", Cancel: "Cancelar", Finish: "Concluir", Report: "Relatar e fechar",
		Simulated: "Meta simulada: nada aqui é real", NeedsScript: "Esta página precisa de JavaScript.",
		CloseWindow: "Você pode fechar esta janela.",

		LoginTitle: "Conectar o WhatsApp a %s", LoginText: "%s quer gerenciar uma conta sua do WhatsApp. Entre para continuar.",
		Person: "Entrar como", PersonNote: "Qualquer nome: a pessoa é fictícia.",

		BusinessTitle: "Escolha um portfólio empresarial", BusinessText: "Ele é dono das contas do WhatsApp que você compartilha.",
		NewBusiness: "Criar um portfólio empresarial", BusinessName: "Nome do novo portfólio",

		WABATitle: "Escolha as contas do WhatsApp", WABAText: "%s terá acesso às que você selecionar.",
		NewWABA: "Criar uma conta do WhatsApp",

		ProfileTitle: "Sua nova conta do WhatsApp", ProfileText: "Os clientes veem o nome de exibição.",
		WABAName: "Nome da conta", DisplayName: "Nome de exibição",

		NumberTitle: "Escolha um número de telefone", NumberText: "Os clientes escrevem para este número.",
		NewNumber: "Adicionar um número novo", AppNumber: "Uso o app WhatsApp Business",
		AppNote:     "O número continua funcionando no app.",
		LaterNumber: "Adicionar um número depois", LaterNote: "A conta é compartilhada sem número.",
		PhoneNumber: "Número novo, ou o que está no app", Fail: "Simular um problema", NoFail: "Nenhum problema",

		VerifyTitle: "Confirme o número", VerifyText: "O SMS simulado para %s diz %s.", Code: "Código",
		ScanTitle: "Conecte o app", ScanText: "Abra o WhatsApp Business com %s, leia o código e confirme.",
		ScanConfirm: "Confirmei no app. Toque em Continuar.", QRCode: "Código QR simulado: não há nada para ler",

		PermissionsTitle: "Revise o que você compartilha", PermissionsText: "%s poderá:",
		PermissionManage: "Gerenciar as contas do WhatsApp", PermissionMessage: "Enviar e receber mensagens", Assets: "Você compartilha",

		DoneTitle: "Sua conta está conectada", DoneText: "Conclua para voltar a %s. A janela se fecha sozinha em 20 segundos.",
		CancelledTitle: "Cancelado", FailedTitle: "Não foi possível continuar",
		FailedText: "Volte e tente de outro modo, ou relate o problema.", ErrorCode: "Código do erro", SessionID: "Sessão",

		WantName: "Preencha um nome.", WantChoice: "Escolha uma opção da lista.", WantWABA: "Escolha ao menos uma conta do WhatsApp da lista.",
		WantNumber: "Preencha um número com o código do país, de 8 a 15 dígitos.", NumberTaken: "Este número já pertence a uma conta do WhatsApp.",
		WrongCode: "Este não é o código que foi enviado.",

		PhoneTitle: "O celular de um cliente", PhoneText: "Escreva para uma empresa do simulador e veja o que ela responde.",
		BusinessNumber: "Empresa", NoNumbers: "Ainda não há número de empresa: alguém precisa concluir um cadastro.",
		YourName: "Seu nome", YourNumber: "Seu número", WriteAs: "Escrever como", AsCustomer: "Cliente",
		AsApp: "Empresa, pelo app", Message: "Mensagem", Send: "Enviar", Conversation: "Conversa",
		NothingSaid: "Nada foi dito ainda.", SentByApp: "pelo app", NotDelivered: "Não entregue ao app:",
		NotReached: "O simulador não responde.",

		IndexTitle: "graphsim", IndexText: "A Graph API da Meta, o popup de cadastro e os webhooks, simulados. Nada aqui é real, e nada aqui vai para produção.",
		LinkPhone: "O celular de um cliente: escreva para uma empresa", LinkJournal: "Diário: o que foi pedido à Graph API",
		LinkDeliveries: "Registro de webhooks", LinkNumbers: "Números de empresas", LinkReference: "Referência: o que ele serve e como se programa",
	}
}
