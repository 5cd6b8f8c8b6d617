"""A day of updates (+5,000, -500 digests) from publisher to endpoint: bytes and seconds.
HOLDFAST_BUILD=build bench/update_day.py, in an empty folder."""
import sys,random,os,hashlib,gzip,time
sys.path.insert(0,os.path.join(os.path.dirname(os.path.abspath(__file__)),'../tests/e2e'))
from feed_lib import *
p,e=Publisher(),Endpoint()
rng=random.Random(3)
def lines(n,k): return "".join("%s:%d:Win.Malware.Agent-%d-0\n"%(rng.randbytes(16).hex(),rng.randrange(5000,4000000),9000000+k+i) for i in range(n))
os.makedirs('m');os.makedirs('add');os.makedirs('del')
base=lines(200000,0); open('m/main.hdb','w').write(base)
old="".join(base.splitlines(True)[:500]); new=lines(5000,400000)
open('add/d.hdb','w').write(new); open('del/d.hdb','w').write(old)
p.release("--deltas","0",sources=['m']); e.trust(p); print('first',e.update()['fetched'])
p.draft("--segment","--withdraw","del",sources=["add"]); p.sign(); p.publish(); p.witness()
print([l for l in open('draft').read().splitlines() if 'part' in l or l.startswith('delta 1')])
t=time.time(); r=e.update(); print('day',r['fetched'],'seconds',time.time()-t)
print('text gz',len(gzip.compress((new+old).encode())), 'floor', (5000*(12+3)+500*3))
t=time.time(); hf("feed","verify","--policy",p.policy,p.dir); print('verify',time.time()-t)
