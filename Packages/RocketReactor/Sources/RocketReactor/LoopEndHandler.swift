/// Who has something to close, or somebody to tell, when the loop ends.
public protocol LoopEndHandler: AnyObject {
    /// On the loop's thread, once `run` was told to stop: events and timers don't come any more,
    /// but tasks and tick ends that this brings about are still run. Twice when other tasks have
    /// run in between, and it is still enrolled.
    func loopEnding(on reactor: Reactor)
}

extension Reactor {
    /// Tells `handler` of the loop's end, in the order of enrolment. It is held until then, or
    /// until it is withdrawn.
    public func observeLoopEnd(_ handler: any LoopEndHandler) { loopEnds.append(handler) }

    /// Takes back `observeLoopEnd`. Looks through all that are enrolled: for few.
    public func stopObservingLoopEnd(_ handler: any LoopEndHandler) {
        loopEnds.removeAll { $0 === handler }
    }

    /// The list may change meanwhile.
    func tellLoopEnd() {
        for handler in loopEnds { handler.loopEnding(on: self) }
    }
}
