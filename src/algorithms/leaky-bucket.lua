-- Twin of leaky-bucket.ts: calls that may wait are paced.

function algorithm.room(self, free, queued)
  if queued then return math.min(free, self.drain - 1) end
  return free
end
