// Package dispatch asks a model behind an API for rows: it joins equal rows, looks answers up in a cache and keeps them there,
// cuts requests, reads ahead, holds to a pace, to slots and to budgets, tries again, and counts. It knows neither SQL nor any
// provider: a [Call] says what is asked, and its [Codec] turns rows into requests and answers into results.
//
// # Rooms
//
// From the top, each room uses those below it only:
//
//	statement   what the calls of a statement share
//	await       the rows that are wanted, and counting what they got
//	run         what is done next, and what comes of it
//	group       the rows of one call: submit, settle, repeats
//	sender      one request: pace, slot, budgets, asking, counting
//	decide      what becomes of a request that failed: a pure function
//	loader      the objects that a request carries, within bounds of memory
//	lookup      answers that the cache has
//	saver       answers on their way to the cache
//	estimate    what would be asked
//	batcher     which rows are asked together, and when: no I/O, no locks, no clock
//	item        a row's question and its states
//	call        what is asked, and who knows how
//	connection, limits, pace, usage, price, progress, lifetime, answer
//
// Slots, pace and budgets stand around each request, in the sender. Trying again does not: a batch that waits for its next
// attempt goes back to the batcher, so that it holds no slot, others go before it, and what is learned meanwhile (too large,
// hopeless, out of budget) holds for it, too.
//
// # States of a row's question
//
//	state    means                                          next
//	idle     nobody wants it yet                            looking, asked, known
//	looking  is being looked up before anybody wants it     missed, asked, known
//	missed   was looked up so, and is not in the cache      asked
//	asked    is wanted, or read ahead; queued or on its way known
//	known    has its verdict                                gone
//	gone     the verdict was given to all, and dropped      asked
//
// idle becomes looking when the batcher reads ahead, asked when it is awaited, or read ahead without a cache, and known at once
// where nothing can be asked for the row. looking becomes asked when it is awaited meanwhile: who looks it up queues it then.
// known becomes gone when the last of its equal rows was given the verdict; awaited again, it is asked again. The table
// stands in item.go, and a transition that is not in it ends the query.
//
// # Owners
//
// A question that was moved out of idle, missed or gone belongs to whoever moved it until it is in the batcher's queue, and one that
// was taken from there to who sends it: the owner computes its key and reads its request without a lock. Only abort settles what
// others own, and leaves key and request alone.
//
// # Locks
//
// Taken in this order, and never backwards:
//
//	Statement.mu
//	Group.mu
//	Connection.mu, Meter.mu (statement, connection, session: in this order), lifetime.mu
//	sender.mu, saver.mu, tracker.mu, pacer.mu
//
// Those of one line are not held together, but for the meters. No lock is held while anything waits: for a cache, a provider, memory,
// a slot, or time. sender.one alone is held while the provider is connected to, before all others.
package dispatch
