import { Link } from '@tanstack/react-router'
import type { Connection } from '../api/generated'
import { Id, Panel, Row, Rows } from '../ui/parts'
import { useSpeech } from '../words'

// Ids are the raw names of things, for whoever has to look them up elsewhere.
export function Ids({ connection: c }: { connection: Connection }) {
  const { words } = useSpeech()
  return (
    <Panel title={words.connection.ids}>
      <Rows stacked>
        <Row label={words.connection.organization}>
          <Id value={c.organizationId} />
        </Row>
        <Row label={words.connection.wabaId}>
          <Id value={c.wabaId} />
        </Row>
        <Row label={words.connection.businessId}>{c.businessId && <Id value={c.businessId} />}</Row>
        <Row label={words.connection.connectionId}>
          <Id value={c.connectionId} />
        </Row>
        <Row label={words.connection.tokenId}>{c.token?.tokenId && <Id value={c.token.tokenId} />}</Row>
        <Row label={words.connection.onboardingId}>
          {c.onboardingId && (
            <>
              <Link to="/attempts" search={{ id: c.onboardingId }}>
                <code>{c.onboardingId}</code>
              </Link>
            </>
          )}
        </Row>
      </Rows>
    </Panel>
  )
}
