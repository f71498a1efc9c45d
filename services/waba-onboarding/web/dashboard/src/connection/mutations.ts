import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Connection } from '../api/generated'
import {
  checkConnectionMutation, disconnectConnectionMutation, getConnectionQueryKey, registerPhoneNumberMutation, subscribeWebhooksMutation,
} from '../api/generated/@tanstack/react-query.gen'
import { announce } from '../ui/toast'
import { useSpeech } from '../words'

// Each answers the connection as it is now; what else is on display of it is read again.
function useAnswered(connectionId: string, sentence: string) {
  const client = useQueryClient()
  return (connection: Connection) => {
    client.setQueryData(getConnectionQueryKey({ path: { connectionId } }), connection)
    void client.invalidateQueries()
    announce(sentence)
  }
}

export function useCheck(connectionId: string) {
  const onSuccess = useAnswered(connectionId, useSpeech().words.connection.checked)
  return useMutation({ ...checkConnectionMutation(), onSuccess })
}

export function useSubscribe(connectionId: string) {
  const onSuccess = useAnswered(connectionId, useSpeech().words.connection.subscribed)
  return useMutation({ ...subscribeWebhooksMutation(), onSuccess })
}

export function useRegister(connectionId: string) {
  const onSuccess = useAnswered(connectionId, useSpeech().words.connection.registered)
  return useMutation({ ...registerPhoneNumberMutation(), onSuccess })
}

export function useDisconnect(connectionId: string) {
  const onSuccess = useAnswered(connectionId, useSpeech().words.connection.disconnectDone)
  return useMutation({ ...disconnectConnectionMutation(), onSuccess })
}
