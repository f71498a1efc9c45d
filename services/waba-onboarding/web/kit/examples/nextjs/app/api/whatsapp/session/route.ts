import { cookies } from 'next/headers'

// Begins a signup for whoever is signed in. Only what the browser may know leaves the server.
export async function POST(request: Request) {
  const organization = (await cookies()).get('shop')?.value // put your own session here: it says whose customer this is
  if (!organization) return Response.json({ error: 'unauthenticated' }, { status: 401 })
  const answer = await fetch(`${process.env.CONNECT_URL}/api/v1/whatsapp/onboardings`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${process.env.CONNECT_TOKEN}`,
      'X-Organization-Id': organization,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ returnUrl: `${request.headers.get('origin')}/whatsapp` }),
  })
  return Response.json(await answer.json(), { status: answer.status, headers: { 'Cache-Control': 'no-store' } })
}
