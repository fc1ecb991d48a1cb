-- Twin of leaky-bucket.ts: calls that may wait are paced.

function algorithm.room(self, free)
  return min(free, self.drain - 1)
end
