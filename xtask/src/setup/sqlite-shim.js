// The part of better-sqlite3's interface that Kysely and the PDS call, over the SQLite that node brings: so the PDS of
// the tests needs no compiler.
'use strict'
const { DatabaseSync } = require('node:sqlite')

// The extended results of SQLite for which better-sqlite3 has names that its callers compare.
const NAMES = new Map([
  [5, 'SQLITE_BUSY'],
  [261, 'SQLITE_BUSY_RECOVERY'],
  [517, 'SQLITE_BUSY_SNAPSHOT'],
  [773, 'SQLITE_BUSY_TIMEOUT'],
  [1555, 'SQLITE_CONSTRAINT_PRIMARYKEY'],
  [2067, 'SQLITE_CONSTRAINT_UNIQUE'],
])

function call(act) {
  try {
    return act()
  } catch (error) {
    if (Number.isInteger(error.errcode)) {
      error.code = NAMES.get(error.errcode) ?? `SQLITE_ERROR_${error.errcode}`
    }
    throw error
  }
}

// node:sqlite binds neither booleans nor undefined.
function bound(values) {
  return values.flat().map((value) => {
    if (value === undefined) return null
    return typeof value === 'boolean' ? Number(value) : value
  })
}

// A row as an ordinary object whose blobs are Buffers.
function row(found) {
  if (found === undefined) return undefined
  const entries = Object.entries(found).map(([name, value]) => {
    const isBlob = value instanceof Uint8Array
    return [name, isBlob ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value]
  })
  return Object.fromEntries(entries)
}

class Statement {
  #statement

  constructor(statement) {
    this.#statement = statement
    this.reader = statement.columns().length > 0
  }

  all(...values) {
    return call(() => this.#statement.all(...bound(values))).map(row)
  }

  get(...values) {
    return row(call(() => this.#statement.get(...bound(values))))
  }

  run(...values) {
    return call(() => this.#statement.run(...bound(values)))
  }

  *iterate(...values) {
    for (const found of call(() => this.#statement.iterate(...bound(values)))) yield row(found)
  }
}

module.exports = class Database {
  #database

  constructor(file, { timeout = 5000 } = {}) {
    this.#database = call(() => new DatabaseSync(file, { timeout }))
  }

  prepare(sql) {
    return new Statement(call(() => this.#database.prepare(sql)))
  }

  exec(sql) {
    call(() => this.#database.exec(sql))
    return this
  }

  pragma(text) {
    return this.prepare(`PRAGMA ${text}`).all()
  }

  close() {
    call(() => this.#database.close())
    return this
  }
}
