import type { ReactNode } from 'react'
import css from './ui.module.css'

export type Column<T> = {
  head: string
  cell: (row: T) => ReactNode
  // The first column of a card, which needs no heading.
  lead?: boolean
  // Left out where the table has little room and is no cards yet: 1 goes first.
  minor?: 1 | 2
}

// DataTable is a real table that becomes cards where the screen is narrow. The roles are said again, because a browser
// forgets them with the display that cards have.
export function DataTable<T>({ caption, columns, rows, id }: { caption: string; columns: Column<T>[]; rows: T[]; id: (row: T) => string }) {
  return (
    <div className={css.tableBox}>
      <table className={css.table} role="table">
        <caption>{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((c) => (
              <th key={c.head} scope="col" role="columnheader" data-minor={c.minor}>
                {c.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={id(row)} role="row">
              {columns.map((c) => (
                <td key={c.head} role="cell" data-label={c.lead ? undefined : c.head} data-minor={c.minor}>
                  {c.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
