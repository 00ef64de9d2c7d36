/// A store whose contents are copied to another one. No server uses it meanwhile, and what is read of
/// it does not change. One task at a time; its functions block.
package protocol OrderExporting: AnyObject {
    /// Where it is, for people.
    var path: String { get }
    /// How many orders it has.
    var orders: Int64 { get }
    /// The newest order; nil: it has none.
    var newest: OrderID? { get }
    /// The largest number that it has given to an order; 0: none.
    var lastSequence: Int64 { get }

    /// Returns how many orders it has up to a number.
    func count(through sequence: Int64) throws(OrderStoreError) -> Int64

    /// Returns the time of the order with this number; nil: there is none.
    func createdMilliseconds(of sequence: Int64) throws(OrderStoreError) -> Int64?

    /// Returns the block behind a number: without orders at the end of the store.
    func block(after sequence: Int64) throws(OrderStoreError) -> OrderBlock
}
